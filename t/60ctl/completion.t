# completion.t -- what bash completes, as the tool's own help has it.
use strict;
use warnings;

use Ctl;
use Test::More;

# What bash completes after the words of $line, the last of which may be
# unfinished.
sub completed {
    my ($line) = @_;
    my @words = length $line ? split / /, $line, -1 : '';
    my ($code, $out, $err) = run('', 'bash', '-c', <<'END', 'bash', tool(), @words);
source conf/userprofilectl.bash-completion || exit 9
tool=$1; shift
COMP_WORDS=(userprofilectl "$@"); COMP_CWORD=$#
_userprofilectl "$tool" "${!#}" ""
printf '%s\n' "${COMPREPLY[@]}"
END
    is($code, 0, "'$line' is completed") or diag($err);
    is($err, '', "'$line' is completed without an error");
    return join ' ', sort grep { length } split /\n/, $out;
}

my (undef, $help) = run('', tool(), '--help');
my @commands = map { [split] } $help =~ /^  ([a-z]+ [a-z]*) +\w/mg;
my %verbs;
push @{ $verbs{ $_->[0] } }, @$_[1 .. $#$_] for @commands;

is(completed(''), join(' ', sort keys %verbs), 'first come the commands');
for my $noun (sort keys %verbs) {
    is(completed("$noun "), join(' ', sort @{ $verbs{$noun} }), "after $noun come its commands, or files");
}
for my $command (@commands) {
    my (undef, $said) = run('', tool(), @$command, '--help');
    is(completed("@$command --"), join(' ', sort $said =~ /^ {2,}(?:-\w,)? +(--[a-z-]+)/mg), "after @$command come its options");
}

my @rows = (
    ['us',                      'user',    'the beginning of a command is completed'],
    ['user se',                 'set',     'the beginning of the second word is completed'],
    ['user set O1 U1 --first',  '--first-name', 'the beginning of an option is completed'],
    ['-s lmdb : /x user f',     'find',    'options may come before the command'],
    ['user list O1 --js',       '--json',  'options may come after operands'],
    ['--ver',                   '--version', 'so are options without a command'],
    ['backup ',                 '',        'a folder is for bash to complete'],
    ['user get O1 U',           '',        'what the store has is not asked for'],
    ['.* ',                     completed(''), 'a word that is no command is none'],
);
is(completed($_->[0]), $_->[1], $_->[2]) for @rows;

done_testing;
