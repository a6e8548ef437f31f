# The tool on a store in PostgreSQL: making it, its commands, moving a store
# there and back, and what the two roles may do.
use strict;
use warnings;

use Test::More;
use Ctl;
use PostgresServer;

my $postgres = PostgresServer->start;
$postgres->sql('postgres', map { "CREATE DATABASE $_" } qw(one two latin));

# Making it.
my $uri = $postgres->uri('one');
my ($code, $out, $err) = ctl($uri, 'stat');
is $code, 1, 'without tables there is no store';
like $err, qr/there is no store in the database of .*'userprofilectl init' makes one/, '... says the tool';
($code, $out, $err) = ctl($uri, 'init');
is $code, 0, 'init makes the tables';
is $err, '', '... without a remark';
is_deeply [(ctl($uri, 'init'))[0, 2]], [0, ''], 'a second init leaves them';
is $postgres->sql('one', 'SELECT version FROM userprofile.store'), 1, 'their version is theirs to tell';
($code, $out, $err) = ctl($uri, 'upgrade');
is $code, 0, 'upgrade has nothing to do';
for my $case (
    [0, 'stat',    qr/the tables of the store \S+ are older than version 1, which is this program's: 'userprofilectl upgrade' brings them up/],
    [0, 'upgrade', qr/nothing brings the tables of the store \S+ from version 0 to 1/],
    [2, 'stat',    qr/the tables of the store \S+ are of version 2, which is newer than 1, this program's: use a newer one/],
    [2, 'upgrade', qr/are of version 2, which is newer than 1/],
    )
{
    my ($version, $command, $says) = @$case;
    $postgres->sql('one', "UPDATE userprofile.store SET version = $version");
    ($code, $out, $err) = ctl($uri, $command);
    is $code, 1, "tables of version $version: $command fails";
    like $err, $says, '... and says why';
}
$postgres->sql('one', 'UPDATE userprofile.store SET version = 1');

# The file by itself makes the same.
system('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $postgres->uri('two'), '-f', 'conf/schema.sql') == 0
    or die "psql: $?\n";
is +(ctl($postgres->uri('two'), 'stat'))[0], 0, 'psql makes a store of conf/schema.sql';
$postgres->sql('postgres', q(CREATE DATABASE sql_ascii TEMPLATE template0 ENCODING 'SQL_ASCII'));
($code, $out, $err) = ctl($postgres->uri('sql_ascii'), 'init');
like $err, qr/the encoding of the database of .* must be UTF8/, 'a database of another encoding is refused';

# Commands.
sub done {
    my ($what, @arguments) = @_;
    my ($code, $out, $err) = ctl($uri, @arguments);
    is $code, 0, $what or diag $err;
    return $out;
}
done('an organisation is added', qw(org add O1 --name One));
done('a user is added',          qw(user add O1 U1 --first-name Gigi --last-name Giraffe --display-name G));
done('a user is changed',        qw(user set O1 U1 --nick-name Secretive));
done('a member is added',        qw(member add U1 ORG_OWNER --org O1));
like done('a user is found', qw(user find U1)),      qr/U1/,                'by id';
like done('users are listed', qw(user list O1)),     qr/\bU1\b/,            'of an organisation';
like done('events are shown', qw(--json events)),    qr/"nickName":"Secretive"/, 'with values';
like done('the store is measured', qw(--json stat)), qr/"driver":"postgresql".*"users":1,.*"lastEvent":4,.*"bytesDatabase":\d/, 'in counts and bytes';
done('a user is removed and erased', qw(user remove O1 U1 --erase));
unlike done('its events', qw(--json events)), qr/Secretive|Giraffe/, '... have no values any longer';
unlike $postgres->sql('one', 'SELECT e::text FROM userprofile.event e'), qr/Secretive|Giraffe/, '... nor has the table';

# Moving.
my @lines = map { qq({"org":{"id":"M$_","name":"Name \\u00e9 $_"}}) } 1 .. 3;
for my $i (1 .. 1500) {
    my $org = 'M' . ($i % 3 + 1);
    push @lines, $i % 10
        ? qq({"user":{"id":"u$i","orgId":"$org","type":"human","profile":{"firstName":"First $i","lastName":"\\ud83e\\udd92","displayName":"D","gender":"GENDER_DIVERSE","preferredLanguage":"de-CH"}}})
        : qq({"user":{"id":"u$i","orgId":"$org","type":"machine"}});
    push @lines, qq({"member":{"orgId":"$org","userId":"u$i","roles":["ORG_OWNER","R$i"]}}) unless $i % 7;
    push @lines, qq({"token":{"userId":"u$i","token":"a-token-that-is-long-enough-$i"}}) unless $i % 5;
}
my $lmdb   = store(@lines);
my @before = lines_of($lmdb);
cmp_ok scalar @before, '>', 1500, 'there is something to move';
sub import_into {
    my ($uri, @lines) = @_;
    my ($code, $out, $err) = run(join('', map { "$_\n" } @lines), tool(), '-s', $uri, 'import', '-');
    is $code, 0, 'an import of what was exported' or diag $err;
}
my $moved = $postgres->uri('two');
import_into($moved, @before);
my @there = lines_of($moved);
is_deeply \@there, \@before, 'PostgreSQL has what LMDB had';
import_into($moved, @before);
is_deeply [lines_of($moved)], \@before, '... also when it is imported again';
my $back = store();
import_into($back, @there);
is_deeply [lines_of($back)], \@before, 'and LMDB has it back';

# An import stops at the line that the store refuses.
($code, $out, $err) = run(qq({"org":{"id":"X"}}\n{"member":{"orgId":"none","userId":"u1","roles":["R"]}}\n{"org":{"id":"Y"}}\n),
    tool(), '-s', $moved, 'import', '-');
is $code, 1, 'an import with a conflict fails';
like $err, qr/stopped at line 2 of '-'; the lines before it are kept: there is no organisation 'none'/, '... at its line';
is $postgres->sql('two', q(SELECT string_agg(id, ' ') FROM userprofile.org WHERE id IN ('X', 'Y'))), 'X', '... and keeps those before it';

# A batch that had to wait sees what the one before it has stored, whatever the
# database's default is. That one ends when the tool waits for it.
$postgres->sql('two', q(ALTER DATABASE two SET default_transaction_isolation = 'repeatable read'));
my $other = fork // die "fork: $!\n";
exec 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', $moved, '-c', <<'END' if !$other;
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT pg_advisory_xact_lock(1970303599, 1);
DO $$ BEGIN
    FOR i IN 1 .. 1500 LOOP
        EXIT WHEN EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'mod_userprofile' AND state = 'idle in transaction');
        PERFORM pg_stat_clear_snapshot(), pg_sleep(0.02);
    END LOOP;
END $$;
UPDATE userprofile.profile SET state = 4 WHERE id = 'u1';
COMMIT;
END
1 until $postgres->sql('two', q(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted));
($code, $out, $err) = ctl($moved, qw(member add u1 ORG_OWNER --org M1));
like $err, qr/user 'u1' is removed/, 'a batch that waited sees what was stored meanwhile';
waitpid $other, 0;
$postgres->sql('two', 'ALTER DATABASE two RESET default_transaction_isolation', q(UPDATE userprofile.profile SET state = 1 WHERE id = 'u1'));

# Roles.
$postgres->sql('two', 'CREATE ROLE web LOGIN IN ROLE userprofile_server', 'CREATE ROLE operator LOGIN IN ROLE userprofile_tool',
    'CREATE ROLE nobody LOGIN');
sub as {
    my ($role) = @_;
    return $moved =~ s/tester/$role/r;
}
for my $may_not ('DELETE FROM userprofile.profile', 'DELETE FROM userprofile.event', 'UPDATE userprofile.event SET author = $$$$',
    'SELECT before_first_name FROM userprofile.event', 'INSERT INTO userprofile.member VALUES ($$$$, $$web$$, $${IAM_OWNER}$$)',
    'INSERT INTO userprofile.token VALUES (sha256($$x$$), $$web$$, now())', 'UPDATE userprofile.store SET version = 2', 'DROP TABLE userprofile.org')
{
    my ($code, undef, $err) = run('', 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', as('web'), '-c', $may_not);
    like $err, qr/permission denied|must be owner/, "a server may not $may_not";
}
is +(ctl(as('web'), 'user', 'get', 'M2', 'u1'))[0], 0, 'a server may read users';
is +(ctl(as('web'), 'stat'))[0], 0, '... and count what its metrics show';
($code, $out, $err) = ctl(as('web'), qw(org add Z));
like $err, qr/permission denied/, 'a server may not add an organisation, says the tool';
is +(ctl(as('operator'), @$_))[0], 0, "a tool may @$_"
    for [qw(org add Z)], [qw(user add Z z --first-name F --last-name L --display-name D)], [qw(user set Z z --nick-name N)],
    [qw(member add z ORG_OWNER --org Z)], ['events'], ['stat'], ['export'], [qw(user remove Z z --erase)];
($code, $out, $err) = ctl(as('nobody'), 'stat');
is $code, 1, 'a role without rights has no store';

# Passwords.
$postgres->sql('two', q(CREATE ROLE secret LOGIN PASSWORD 'sesame' IN ROLE userprofile_tool));
my $hba = $postgres->data . '/pg_hba.conf';
spew($hba, "host all secret all scram-sha-256\n" . slurp($hba));
$postgres->reload;
my $folder = folder();
my $tcp    = $postgres->tcp_uri('two') =~ s/tester/secret/r;
spew("$folder/right", "*:*:*:*:sesame\n");
spew("$folder/wrong", "*:*:*:*:open\n");
chmod 0600, "$folder/right", "$folder/wrong";
is +(ctl("$tcp?passfile=$folder/right", 'stat'))[0], 0, 'a password is in a file';
($code, $out, $err) = ctl("$tcp?passfile=$folder/wrong", 'stat');
like $err, qr/password authentication failed for user "secret"/, 'a wrong one is refused';
unlike $err, qr/open/, '... and not said';
spew("$folder/service.conf", "[site]\nhost=127.0.0.1\nport=$postgres->{port}\ndbname=two\nuser=secret\npassword=sesame\n");
{
    local $ENV{PGSERVICEFILE} = "$folder/service.conf";
    is +(ctl('postgresql://?service=site', 'stat'))[0], 0, 'or in a service file';
}
($code, $out, $err) = ctl($tcp =~ s/secret/secret:sesame/r, 'stat');
is $code, 2, 'a URI with a password is misuse';
unlike $err, qr/sesame/, '... and not repeated';

done_testing;
