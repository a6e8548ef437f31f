# usage.t -- help, the version, and command lines that are wrong.
use strict;
use warnings;

use Ctl;
use Test::More;

my $store = store('{"org":{"id":"O1"}}');
my @everything = lines_of($store);

# Arguments, and what is said of them.
my @wrong = (
    ['',                             'there is no command'],
    ['frobnicate',                   "there is no command 'frobnicate'"],
    ['org',                          'org is followed by one of add, rename, list, remove'],
    ['user',                         'user is followed by one of add, set, get, find, list, remove'],
    ['org delete',                   "there is no command 'org delete'; org is followed by one of add, rename, list, remove"],
    ['org remove',                   'too few arguments: org remove ID'],
    ['org remove O1 O2',             'too many arguments: org remove ID'],
    ['org rename O1',                'too few arguments: org rename ID NAME'],
    ['org add',                      'too few arguments: org add ID [--name NAME]'],
    ['org add O2 O3',                'too many arguments: org add ID [--name NAME]'],
    ['org list O1',                  'too many arguments: org list [--json]'],
    ['init now',                     'too many arguments: init [--owner USER]'],
    ['user get O1',                  'too few arguments: user get ORG ID [--json]'],
    ['member add U1',                qr/^too few arguments: member add /],
    ['import',                       'too few arguments: import FILE|- [--from zitadel] [--dry-run] [--force] [--allow-weak]'],
    ['org list --jsonl',             "there is no option '--jsonl'"],
    ['org list --jsonl=1',           "there is no option '--jsonl'"],
    ['org list -x',                  "there is no option '-x'"],
    ['org list -xy',                 "there is no option '-x'"],
    ['-s',                           '-s lacks its value, STORE'],
    ['org list --json=1',            '--json takes no value'],
    ['org add O2 --name',            '--name lacks its value, NAME'],
    ['org add O2 --name A --name B', '--name is given twice'],
    ['org add O2 --json',            'org add takes no --json'],
    ['init --json',                   'init takes no --json'],
    ['org list --name A',            'org list takes no --name'],
    ['-s lmdb:/elsewhere org list',  '--store is given twice'],
    ['user add O1 U1',
        'a human needs --first-name and --last-name; '
            . 'a machine needs --machine'],
    ['user add O1 U1 --first-name F', qr/^a human needs /],
    (
        map { ["user list O1 --limit $_", '--limit must be a number above 0'] }
            qw(0 -1 x 1x 99999999999999999999)
    ),
    ['user list O1 --state gone', '--state must be active, inactive, locked, initial or removed'],
    ['user find',                 'too few arguments: user find TEXT [--org ORG] [--limit N] [--json]'],
    ['user find --limit=0 a',     '--limit must be a number above 0'],
    ['user find --state active a', 'user find takes no --state'],
    ['user set O1 U1',                'no option says what to set'],
    ['user set O1 U1 --state removed', '--state must be active, inactive, locked or initial'],
    ['user set O1 U1 --state=',       '--state must be active, inactive, locked or initial'],
    ['user set O1 U1 --machine',      'user set takes no --machine'],
    ['user set O1 --nick-name N',     qr/^too few arguments: user set ORG ID /],
    ['user add O1 U1 --machine --nick-name N', 'a --machine has no profile'],
    ['user add O1 U1 --machine --gender male', 'a --machine has no profile'],
    ['user add O1 U1 --first-name F --last-name L --gender neuter',
        '--gender must be female, male, diverse or unspecified'],
    ['member add --org= U1 ORG_OWNER',
        '--org is empty; leave it out for the instance'],
    ['member list --org=', '--org is empty; leave it out for the instance'],
    ['member remove --org= U1',
        '--org is empty; leave it out for the instance'],
    (
        map { ["token add U1 --expires $_", qr/^--expires must be a duration /] }
            qw(0d -1d 1 d 1w 1.5h 90dd 36601d 99999999999999999999d
            2030-02-30T00:00:00Z soon)
    ),
    ['token revoke', 'token revoke needs the id or text of a token, or --user'],
    ['token revoke 0000000000000000 --user U1', 'token revoke needs the id or text of a token, or --user'],
    ['token revoke A B', qr/^too many arguments: token revoke /],
    ['token add U1 --expires 2020-01-01T00:00:00Z', '--expires is in the past'],
    (
        map { ["events --after $_", "--after must be the number of an event"] }
            qw(x -1 1x 99999999999999999999)
    ),
    ['check everything',     'too many arguments: check [--repair-plan]'],
    ['check --json',         'check takes no --json'],
    ['backup',               'too few arguments: backup DIR [--timeout SECONDS]'],
    ['backup A B',           'too many arguments: backup DIR [--timeout SECONDS]'],
    ['backup --owner root A', 'backup takes no --owner'],
    (
        map { ["backup A --timeout $_", '--timeout must be a number of seconds from 1 to 86400'] }
            qw(0 -1 x 1s 86401 99999999999999999999)
    ),
    ['restore',              'too few arguments: restore DIR [--owner USER]'],
    ['restore A B',          'too many arguments: restore DIR [--owner USER]'],
    ['restore --timeout 5 A', 'restore takes no --timeout'],
    ['events --after=', "--after must be the number of an event"],
    ['events --follow=1',           '--follow takes no value'],
    ['events --before 2026-01-01',  'events takes no --before'],
    ['events purge',                qr/^too many arguments: events /],
    ['events prune',                'events prune needs --before, the date up to which events are removed'],
    ['events prune 2026-01-01',     'too many arguments: events prune (--before DATE)'],
    ['events prune --before',       '--before lacks its value, DATE'],
    ['events prune --before soon',
        '--before must be a date like 2026-01-31 or a time like 2026-01-31T12:00:00Z'],
    ['import - --from ldap',        '--from must be zitadel'],
    ['import - --from',             '--from lacks its value, KIND'],
    ['import - --dry-run=yes',      '--dry-run takes no value'],
    ['import - -',                  qr/^too many arguments: import /],
    ['export --force',              'export takes no --force'],
    ['token list --revoked=1',      '--revoked takes no value'],
    ['token revoke --revoked',      'token revoke takes no --revoked'],
);

for my $row (@wrong) {
    my ($arguments, $sentence) = @$row;
    my ($code, $out, $err) = ctl($store, split / /, $arguments);
    is($code, 2, "'$arguments' is refused with exit code 2");
    is($out, '', "'$arguments': nothing is printed on the standard output");
    my ($said) =
        $err =~ /\Auserprofilectl: (.*)\nSee userprofilectl --help\.\n\z/;
    ref $sentence
        ? like($said, $sentence, "'$arguments': the message")
        : is($said, $sentence, "'$arguments': the message");
}
is_deeply([lines_of($store)], \@everything, 'a refused command line changes nothing');

# Accepted: arguments after "-s STORE", by their output.
my $listed = qq({"org":{"id":"O1"}}\n);
my @right = (
    ['an option after the command', [qw(org list --json)]],
    ['an option before the command', [qw(--json org list)]],
    ['an option within the command', [qw(org --json list)]],
    ['operands after --', [qw(--json -- org list)]],
);
for my $row (@right) {
    my ($name, $arguments) = @$row;
    is_deeply([ctl($store, @$arguments)], [0, $listed, ''], "$name is taken");
}
is((run('', tool(), "-s$store", qw(org list --json)))[1], $listed,
    '-s may be joined to its value');
is((run('', tool(), "--store=$store", qw(org list --json)))[1], $listed,
    '--store may be joined to its value by =');
is((run('', tool(), qw(-s /x -h)))[0], 0, '--help does not look at the store');

for my $uri ('lmdb:', 'lmdb:relative', 'file:/x', '/x', '') {
    my ($code, undef, $err) = ctl($uri, qw(org list));
    is($code, 2, "'$uri' is refused as a store");
    like($err, qr/\Auserprofilectl: '\Q$uri\E' .*lmdb:\//, "'$uri': the message says what would be right");
}

# Help is printed, and for every command.
my ($code, $help, $err) = run('', tool(), '--help');
is($code, 0, '--help succeeds');
is($err, '', '--help prints no error');
like($help, qr/\AUsage: userprofilectl \[-s STORE\] COMMAND/, '--help says how the tool is used');
like($help, qr/--store STORE .*lmdb:\//, '--help names the default store');
is((run('', tool(), '-h'))[1], $help, '-h prints the same as --help');
for my $noun (qw(org user member token)) {
    my ($code, $out, $err) = run('', tool(), $noun, '--help');
    is($code, 0, "$noun --help succeeds");
    my @about = $help =~ /^  $noun .*\n/mg;
    is($out, join('', "Commands:\n", @about, "\nuserprofilectl $noun COMMAND --help says more about a command.\n"),
        "$noun --help lists the commands that begin with $noun");
}
is((run('', tool(), qw(frobnicate --help)))[1], $help, '--help after what is no command prints the same as without');

my @commands = map { s/ +$//r } $help =~ /^  ([a-z]+ [a-z]*) +\w/mg;
is_deeply(
    \@commands,
    [
        'init',
        (map { "org $_" } qw(add rename list remove)),
        (map { "user $_" } qw(add set get find list remove)),
        (map { "member $_" } qw(add set list remove)),
        (map { "token $_" } qw(add list revoke)),
        qw(import export), 'events prune',
        qw(events stat check backup restore upgrade)
    ],
    '--help lists every command'
);
for my $command (@commands) {
    ($code, my $out) = run('', tool(), split(/ /, $command), '--help');
    is($code, 0, "$command --help succeeds");
    like($out, qr/\AUsage: userprofilectl \[-s STORE\] $command /,
        "$command --help says how it is used");
}
my ($page) = slurp('src/ctl/userprofilectl.8');
like($page, qr/^\.(?:It )?Cm $_\b/m, "the manual page describes $_") for @commands;

($code, my $version) = run('', tool(), '--version');
is($code, 0, '--version succeeds');
like($version, qr/\Auserprofilectl \d+\.\d+\.\d+\n\z/, '--version prints the version');

done_testing;
