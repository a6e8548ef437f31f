# refusals.t -- every command with arguments that are wrong, missing or too
# many, with files that cannot be read, and with output that cannot be written.
use strict;
use warnings;

use Ctl;
use Test::More;

my $store = store(
    '{"org":{"id":"O1"}}',
    '{"user":{"id":"U1","orgId":"O1","type":"machine"}}',
    '{"token":{"userId":"U1","sha256":"' . 'ab' x 32 . '"}}'
);
my @everything = lines_of($store);

# The commands, as --help lists them.
my @commands = map { [split / /, s/ +$//r] } (run('', tool(), '--help'))[1] =~ /^  ([a-z]+ [a-z]*) +\w/mg;
cmp_ok(scalar @commands, '>', 15, '--help lists the commands');

# A command line is refused with exit code 2, without output.
sub is_misuse {
    my ($name, $pattern, @arguments) = @_;
    my ($code, $out, $err) = ctl($store, @arguments);
    is($code, 2,  "$name is refused with exit code 2");
    is($out,  '', "$name: nothing is printed on the standard output");
    like($err, qr/\Auserprofilectl: $pattern.*\nSee userprofilectl --help\.\n\z/, "$name: the message says why");
}

for my $command (@commands) {
    my $name = join ' ', @$command;
    my ($usage) = (run('', tool(), @$command, '--help'))[1] =~ /\AUsage: \S+ \[-s STORE\] (.*)/;

    # What the usage has outside of brackets, and is no option, is needed.
    my ($operands) = $usage =~ /^\Q$name\E ?(.*)/;
    $operands =~ s/\[[^\]]*\]|\(.*\)//g;
    my @needed = split ' ', $operands;
    my $many   = grep { /\.\.\.$/ } @needed;
    my @given  = map { "x$_" } 1 .. @needed;

    is_misuse("$name with an unknown option",      "there is no option '--frobnicate'", @$command, @given, '--frobnicate');
    is_misuse("$name with an unknown letter",      "there is no option '-y'",           @$command, @given, '-y');
    is_misuse("$name with an option without value", '--store is given twice|--store lacks its value', @$command, @given, '--store');
    is_misuse("$name with one argument too few", 'too few arguments: ', @$command, @given[1 .. $#given]) if @needed;
    is_misuse("$name with too many arguments", 'too many arguments: |token revoke needs ', @$command, @given, ('y') x 2)
        unless $many;
    my $option = $usage =~ /--json/ ? '--erase' : '--json';
    is_misuse("$name with an option of other commands", "$name takes no $option", @$command, @given, $option);

    # Help that cannot be written.
    my ($code, undef, $err) = run('', 'sh', '-c', '"$0" "$@" >/dev/full', tool(), @$command, '--help');
    is($code, 1, "$name --help: a full disk is an error");
    is($err, "userprofilectl: cannot write the output: No space left on device\n", "$name --help: the message says so");
}
is_deeply([lines_of($store)], \@everything, 'what is refused changes nothing');

# Output that cannot be written, for every command that has some.
for my $arguments (
    ['org list'], ['user get', qw(O1 U1)], ['user list', 'O1'], ['user find', 'U'], ['member list'],
    ['token list'], ['export'], ['stat'], ['events'], ['import', '/dev/null']
    )
{
    my ($command, @operands) = @$arguments;
    # Events and memberships there are none.
    for my $json ($command =~ /export|import|events|member/ ? () : '--json') {
        my ($code, undef, $err) =
            run('', 'sh', '-c', '"$0" "$@" >/dev/full', tool(), '-s', $store, split(/ /, $command), @operands, $json);
        is($code, 1, "$command $json: a full disk is an error");
        is($err, "userprofilectl: cannot write the output: No space left on device\n", "$command $json: the message says so");
    }
    my ($code, undef, $err) =
        run('', 'sh', '-c', '"$0" "$@" >/dev/full', tool(), '-s', $store, split(/ /, $command), @operands);
    is($code, 1, "$command: a full disk is an error");
    is($err, "userprofilectl: cannot write the output: No space left on device\n", "$command: the message says so");
}
is((run('', 'sh', '-c', '"$0" --version >/dev/full', tool()))[0], 1, '--version: a full disk is an error');

# Files that cannot be read, by a user whom modes concern.
my $file = spew(folder() . '/lines', qq({"org":{"id":"O2"}}\n));
chmod 0000, $file;
my @plain = $> == 0 ? qw(setpriv --reuid=65534 --regid=65534 --clear-groups) : ();
my ($code, $out, $err) = run('', @plain, tool(), '-s', $store, 'import', $file);
is($code, 1, 'a file that may not be read is an error');
is($err, "userprofilectl: cannot open '$file': Permission denied\n", 'a file that may not be read: the message says so');
($code, undef, $err) = ctl($store, 'import', "$file/lines");
is($code, 1, 'a file below a file is an error');
like($err, qr/\Auserprofilectl: cannot open '\Q$file\/lines\E': Not a directory\n\z/, 'a file below a file: the message says so');

# Names that no terminal and no store can bear.
for my $id ("a\nb", "\x07", 'x' x 201, "\xff", '') {
    for my $command ([qw(org add)], [qw(org rename O1)], [qw(user add O1 --machine)], [qw(member add O1)], [qw(token add)]) {
        my @arguments = "@$command" eq 'member add O1' ? (qw(member add), $id, 'ORG_OWNER')
            : "@$command" eq 'org rename O1' ? (qw(org rename), $id, 'name') : (@$command, $id);
        my ($code, $out, $err) = ctl($store, @arguments);
        is($code, 1, "@$command[0, 1] takes no id that cannot be stored");
        is($out, '', "@$command[0, 1] prints nothing for an id that cannot be stored");
        like($err, qr/\Auserprofilectl: [^\x00-\x1f\x7f]*\n\z/, "@$command[0, 1] says in one line that an id cannot be stored");
    }
}
is_deeply([lines_of($store)], \@everything, 'what fails changes nothing');

done_testing;
