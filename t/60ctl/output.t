# output.t -- what is printed: safe on a terminal, and complete or an error.
use strict;
use warnings;

use Ctl;
use POSIX ();
use Test::More;

my $ESC = '\u001b[2J';
my $store = store(
    "{\"org\":{\"id\":\"O1\",\"name\":\"a${ESC}b\\n\\u009bc\\u202ed\"}}",
    '{"org":{"id":"日本","name":"Nihon"}}',
    '{"org":{"id":"long-id","name":"Käse"}}'
);

# Names that would steer a terminal.

my (undef, $table) = ctl($store, qw(org list));
is($table, <<'END', 'a table aligns wide characters and escapes control characters');
ID       NAME
O1       a\u001b[2Jb\u000a\u009bc\u202ed
long-id  Käse
日本     Nihon
END
my (undef, $json) = ctl($store, qw(org list --json));
unlike($json, qr/[^\n\x20-\x7e\x80-\xff]|\xc2[\x80-\x9f]|\xe2\x80\xae/,
    'lines of JSON have no control characters');
is_deeply([lines_of(store(lines_of($store)))], [lines_of($store)],
    'names with control characters survive export and import');
my (undef, undef, $err) =
    ctl($store, qw(user list), "\e[2J\x{c2}\x{9b}\xff\n");
is($err,
    "userprofilectl: there is no organisation "
        . "'\\u001b[2J\\u009b\\xff\\u000a'\n",
    'an error message escapes control characters');

# Terminals. The standard output of script's command is one.
sub on_terminal {
    my ($columns, $command) = @_;
    my (undef, $shown) =
        run('', 'script', '-qec', "stty cols $columns; " . tool() . " -s $store $command", '/dev/null');
    return $shown =~ s/\r\n/\n/gr;
}
is(on_terminal(80, 'org list'), $table, 'a table that fits a terminal is printed as one');
is(on_terminal(20, 'org list'), <<'END', 'a table that is wider than the terminal has a line for each cell');
ID    O1
NAME  a\u001b[2Jb\u000a\u009bc\u202ed

ID    long-id
NAME  Käse

ID    日本
NAME  Nihon

END
my @wide = grep { length > 80 && !/sha256=/ } split /\n/, on_terminal(80, 'events');
is("@wide", '', 'events fit 80 columns, but for the SHA-256 of a file');

# More rows than are kept to find out how wide the columns are.
my $long = store(map { qq({"org":{"id":"O$_","name":"N"}}) } 1000 .. 2999);
(undef, $table) = ctl($long, qw(org list));
is($table, join('', "ID     NAME\n", map { "O$_  N\n" } 1000 .. 2999),
    'a long table has all its rows');

# A reader of the output that stands still: the tool has ended its own reading
# of the store before it prints.
my $longer = store(map { qq({"org":{"id":"O$_","name":"N"}}) } 1000 .. 5999);
for my $command (['export'], [qw(org list)]) {
    open my $output, '-|', tool(), '-s', $longer, @$command or die "@$command: $!\n";
    read $output, my $first, 1;
    ctl($longer, qw(org add), "new-@$command[0]");
    my (undef, $stat) = ctl($longer, qw(stat --json));
    like($stat, qr/"oldestReader":0,/, "@$command: a pager keeps no pages of the store");
    my @lines = <$output>;
    ok(close $output, "@$command: read to its end, it succeeds");
    cmp_ok(scalar @lines, '>=', 5000, "@$command: nothing is missing");
}

{
    local $ENV{TMPDIR} = '/nowhere';
    my ($code, $out) = run('', 'sh', '-c', '"$0" -s "$1" export --no-events | wc -l', tool(), $longer);
    is($out + 0, 5002, 'where TMPDIR is no folder, another one is used');
}

# Output that cannot be written.

sub exit_of {
    my ($redirection, @arguments) = @_;
    my ($code, undef, $err) = run('', 'sh', '-c',
        "\"\$0\" -s \"\$@\" $redirection", tool(), @arguments);
    return ($code, $err);
}

my $full = "userprofilectl: cannot write the output: No space left on device\n";
my $pipe = "userprofilectl: cannot write the output: Broken pipe\n";
for my $command (['export'], [qw(org list)], [qw(org list --json)], ['stat']) {
    my @full = exit_of('>/dev/full', $long, @$command);
    is_deeply(\@full, [1, $full], "@$command: a full disk is an error");
}
is_deeply([exit_of('>/dev/full', $long, '--help')], [1, $full],
    '--help: a full disk is an error');

# A token that could not be shown is none.
is_deeply([exit_of('>/dev/full', $store, qw(token add U1))],
    [1, $full =~ s/: /: the new token is revoked again: /r],
    'token add: a full disk is an error, and the token is revoked');
is((ctl($store, qw(token list --json)))[1], '', 'token add on a full disk leaves no token');

# A reader that goes away at once.
pipe my $read, my $write or die "pipe: $!\n";
close $read;
my $errors = folder() . '/err';
my $pid = fork // die "fork: $!\n";
if (!$pid) {
    open STDOUT, '>&', $write  or POSIX::_exit(126);
    open STDERR, '>',  $errors or POSIX::_exit(126);
    { no warnings 'exec'; exec tool(), '-s', $long, 'export'; }
    POSIX::_exit(127);
}
close $write;
waitpid $pid, 0;
is($?, 1 << 8, 'a closed pipe is an error, not a signal');
is(slurp($errors), $pipe, 'a closed pipe: the message says so');

# Closed streams. A store's file that got the number of one would be written to.

my $closed = "userprofilectl: cannot write the output: Bad file descriptor\n";
for my $streams ('>&-', '<&- >&-', '<&- >&- 2>&-') {
    my $kept = store(lines_of($store));
    my @lines = lines_of($kept);
    my $told = $streams =~ /2>/ ? '' : $closed;
    for my $command (['export'], ['stat'], ['--help']) {
        is_deeply([exit_of($streams, $kept, @$command)], [1, $told],
            "@$command $streams: a closed output is an error");
    }
    is((exit_of($streams, $kept, qw(token add U1)))[0], 1,
        "token add $streams: a closed output is an error");
    is((ctl($kept, qw(token list --json)))[1], '',
        "token add $streams leaves no token");
    is((exit_of($streams, $kept, qw(org add O2)))[0], 0,
        "org add $streams: a command without output succeeds");
    is_deeply([grep { !/"revoked"/ } lines_of($kept)], [sort grep({ !/"revoked"/ } @lines), '{"org":{"id":"O2"}}'],
        "$streams: the store has what it had, and what was added");
    my ($folder) = $kept =~ /^lmdb:(.*)/;
    unlike(slurp("$folder/lock.mdb"), qr/up_|userprofilectl/,
        "$streams: nothing is printed into the lock file");
    unlike(slurp("$folder/data.mdb"), qr/\{"org"|userprofilectl/,
        "$streams: nothing is printed into the data file");
}
my ($code, $told) = exit_of('<&-', $store, qw(import -));
is($code, 1, 'import - <&-: a closed input is an error');
like($told, qr/cannot read '-': Bad file descriptor\n\z/,
    'import - <&-: the message says so');

done_testing;
