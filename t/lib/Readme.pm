# Readme.pm -- the commands of the README, for tests that follow it.
#
#   for my $step (steps(section('First users'))) {
#       print $step->{command};          # as it stands there
#       is_answer($out, $step->{answer}) # what is printed; undef: not said
#   }
package Readme;

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(section steps script is_answer);

# The text of README.md below the heading $title, to the next one.
sub section {
    my ($title) = @_;
    open my $in, '<', 'README.md' or die "cannot read README.md: $!\n";
    my $text = do { local $/; <$in> };
    my ($section) = $text =~ /^##+ \Q$title\E\n(.*?)(?=^##+ |\z)/ms
        or die "README.md has no section '$title'\n";
    return $section;
}

# The commands in the blocks "```sh" of $text: {command, answer}. A command goes
# on where a line ends in "\" or "|", and to the end of its here-document. Lines
# that begin with "#>" are what the command before them prints.
sub steps {
    my ($text) = @_;
    my @steps;

    for my $block ($text =~ /^```sh\n(.*?)^```$/msg) {
        my @lines = split /^/, $block;
        while (defined(my $line = shift @lines)) {
            if ($line =~ /^#>(.*)/) {
                $steps[-1]{answer} .= $1;
            }
            elsif ($line =~ /^(?!#)\S/) {
                my $end = $line =~ /<<'(\w+)'/ ? qr/^$1$/ : undef;
                while ($end ? $lines[0] !~ $end : $line =~ /[\\|]\n\z/) {
                    $line .= shift @lines;
                }
                $line .= shift @lines if $end;
                push @steps, { command => $line };
            }
        }
    }
    return @steps;
}

# A script for sh that does @steps, in the folder $to: N.out and N.err are what
# number N printed, N.status its exit status and how many nanoseconds it took.
# It ends after the first that fails.
sub script {
    my ($to, @steps) = @_;
    my $script = '';
    for my $n (0 .. $#steps) {
        $script .= "began=\$(date +%s%N)\n{\n$steps[$n]{command}}"
            . " >$to/$n.out 2>$to/$n.err </dev/null\n"
            . "status=\$?\n"
            . "echo \$status \$((\$(date +%s%N) - began)) >$to/$n.status\n"
            . "[ \$status = 0 ] || exit 1\n";
    }
    return $script;
}

# Whether $out is $answer, where three dots stand for anything, and blanks for
# nothing.
sub is_answer {
    my ($out, $answer) = @_;
    s/\s+//g for $out, $answer;
    my $pattern = join '.*', map { quotemeta } split /\xe2\x80\xa6/, $answer;
    return $out =~ /\A$pattern\z/;
}

1;
