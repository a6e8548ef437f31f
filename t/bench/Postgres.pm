# Postgres.pm -- a peer: a PostgreSQL server of our own with as many users, in a
# cluster below the scratch folder.
#
# It is asked through a socket in its folder, and keeps Debian's settings but
# for room: shared buffers for the whole table, and fewer checkpoints. Commits
# are flushed. Between its rounds all of it is stopped, so that what it does in
# the background falls into its own.
package Postgres;

use strict;
use warnings;

use Pgbench;

my $running;

# The same change as ours, once as the client sees a transaction, once as a
# single statement.
my %scripts = (
    transaction => <<'END',
BEGIN;
UPDATE profile SET nick_name = :nick, sequence = sequence + 1,
    changed = now() WHERE org = '1' AND id = :id;
INSERT INTO event (at, org, id, author, sequence, fields, before, after)
    VALUES (now(), '1', :id, '2', 2, 4, 'N000000001', :nick);
COMMIT;
END
    statement => <<'END',
WITH changed AS (
    UPDATE profile SET nick_name = :nick, sequence = sequence + 1,
        changed = now() WHERE org = '1' AND id = :id
        RETURNING org, id, sequence)
INSERT INTO event (at, org, id, author, sequence, fields, before, after)
    SELECT now(), org, id, '2', sequence, 4, 'N000000001', :nick FROM changed;
END
);

my $schema = <<'END';
CREATE TABLE profile (org text, id text, state int, sequence bigint,
    created timestamptz, changed timestamptz, first_name text, last_name text,
    nick_name text, display_name text, language text, gender int,
    PRIMARY KEY (org, id));
CREATE TABLE event (number bigserial PRIMARY KEY, at timestamptz, org text,
    id text, author text, sequence bigint, fields int, before text,
    after text);
INSERT INTO profile SELECT '1', (3e17 + i)::bigint::text, 1, 1, now(), now(),
    'First' || i, 'Last' || i, 'N' || i, 'First' || i || ' Last' || i, 'en', 1
    FROM generate_series(0, :users - 1) i;
VACUUM ANALYZE profile;
CHECKPOINT;
END

sub program {
    my ($name) = @_;
    my ($newest) = sort { ($b =~ /(\d+)/)[0] <=> ($a =~ /(\d+)/)[0] }
        glob '/usr/lib/postgresql/*/bin';
    return "$newest/$name";
}

sub run {
    my ($self, @command) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>>', "$self->{folder}/log";
        open STDERR, '>&', \*STDOUT;
        exec @command;
        die "cannot run $command[0]: $!\n";
    }
    waitpid $pid, 0;
    die "failed: @command; see below\n" . `tail "$self->{folder}/log"` if $?;
}

sub start {
    my ($class, $folder, $users) = @_;
    my $self = bless { folder => $folder, users => $users }, $class;
    mkdir $folder or die "cannot make $folder: $!\n";

    $self->run(program('initdb'), '-D', "$folder/data", '-A', 'trust', '-U',
        'bench', '--no-sync');
    open my $conf, '>>', "$folder/data/postgresql.conf" or die "conf: $!\n";
    print $conf <<"END";
listen_addresses = ''
unix_socket_directories = '$folder'
max_connections = 300
shared_buffers = 1GB
max_wal_size = 16GB
checkpoint_timeout = 1h
END
    close $conf;
    $running = $self;
    $self->run(program('pg_ctl'), '-D', "$folder/data", '-l', "$folder/log",
        '-w', 'start');
    $self->fill;
    return $self;
}

sub spew {
    my ($path, $text) = @_;
    open my $out, '>', $path or die "cannot write $path: $!\n";
    print $out $text;
    close $out or die "cannot write $path: $!\n";
}

sub fill {
    my ($self) = @_;
    my $folder = $self->{folder};

    spew("$folder/schema", $schema);
    $self->run('psql', '-q', '-h', $folder, '-U', 'bench', '-d', 'postgres',
        '-v', "users=$self->{users}", '-v', 'ON_ERROR_STOP=1', '-f',
        "$folder/schema");
    for my $name (keys %scripts) {
        # pgbench's variables are numbers.
        my $last = $self->{users} - 1;
        spew("$folder/$name", <<"END" . $scripts{$name});
\\set id 300000000000000000 + random(0, $last)
\\set nick random(100000000, 999999999)
END
    }
}

# Load by the script $name, "transaction" or "statement", from $clients.
sub load {
    my ($self, $name, $clients) = @_;
    my $folder = $self->{folder};
    return Pgbench->start($self, program('pgbench'), '-c', $clients, '-f',
        "$folder/$name", '-h', $folder, '-U', 'bench', 'postgres');
}

# Send $signal to all its processes.
sub signal {
    my ($self, $signal) = @_;
    open my $in, '<', "$self->{folder}/data/postmaster.pid" or return;
    my ($postmaster) = <$in> =~ /^(\d+)/ or return;
    open $in, '<', "/proc/$postmaster/task/$postmaster/children" or return;
    kill $signal => $postmaster, split ' ', <$in> // '';
}

sub stop {
    my ($self) = @_;
    undef $running;
    $self->signal('CONT');
    $self->run(program('pg_ctl'), '-D', "$self->{folder}/data", '-w', '-m',
        'immediate', 'stop');
}

END {
    local $?;
    $running->stop if $running;
}

1;
