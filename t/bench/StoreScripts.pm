# StoreScripts.pm -- scripts in which pgbench does what a GET and a PUT of ours
# do on a store in PostgreSQL: the statements are those of the driver, as
# pg_statements.c prints them.
#
# Of a PUT the second statement has what the first one found, as with ours. All
# parameters are sent, but pgbench knows no nulls: those are written into the
# text.
package StoreScripts;

use strict;
use warnings;

use Exporter qw(import);

use Users ();

our @EXPORT = qw(store_script store_variables);

# What does not change, as pgbench's options.
my %constant = (
    caller => $Users::CALLER,
    org    => $Users::ORG,
    any    => 0,
    change => '0f8fad5b-d9cb-469f-a165-70867728950e',
    event  => 1,
    fields => 4,
    detail => 'x',
);

sub store_variables {
    return map { ('-D', "$_=$constant{$_}") } sort keys %constant;
}

# The parameters of each statement, in their order. A variable that is not set
# here or in the script is a column of what was read.
my @READ = qw(caller org id any);
my @USER = qw(
    id org type state next created changed
    first_name last_name nick display_name preferred_language gender
);
my @EVENT = qw(event changed org id caller next fields detail);
my $NULL  = '';
my @CHANGE = (
    @USER, 'sequence', 'change', @EVENT,
    $NULL, $NULL, 'nick_name', $NULL, $NULL, $NULL,
    $NULL, $NULL, 'nick',      $NULL, $NULL, $NULL,
    'store'
);

# $text with the variables @names for its parameters.
sub with_variables {
    my ($text, @names) = @_;
    my %used = map { $_ => 1 } $text =~ /\$(\d+)/g;
    die "a statement of the driver has other parameters than the benchmark "
        . "knows: $text\n"
        if keys %used != @names || grep { $_ > @names } keys %used;
    $text =~ s/\$(\d+)/$names[$1 - 1] eq $NULL ? 'NULL' : ":$names[$1 - 1]"/ge;
    return $text;
}

# The script for $call, "get" or "change", on one of $users; $text is a function
# that returns the text of the driver's statement "read" or "change".
sub store_script {
    my ($call, $users, $text) = @_;
    my $last = $users - 1;
    my $read = with_variables($text->('read'), @READ);
    my $script = "\\set id 300000000000000000 + random(0, $last)\n";

    return "$script$read;\n" if $call eq 'get';
    return "$script$read \\gset\n"
        . "\\set next :sequence + 1\n"
        . "\\set nick random(100000000, 999999999)\n"
        . with_variables($text->('change'), @CHANGE) . ";\n";
}

1;
