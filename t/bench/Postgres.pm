# Postgres.pm -- a PostgreSQL server of our own, in a cluster below the scratch
# folder. It has as many users, as a peer in tables of its own, or as a store of
# ours.
#
# It is asked through a socket in its folder, and keeps Debian's settings but
# for room: shared buffers for the whole table, and fewer checkpoints. Commits
# are flushed. As a peer, all of it is stopped between its rounds, so that what
# it does in the background falls into its own.
package Postgres;

use strict;
use warnings;

use Cpu;
use Pgbench;
use StoreScripts;
use Users ();

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
    my ($class, $folder) = @_;
    my $self = bless { folder => $folder }, $class;
    mkdir $folder or die "cannot make $folder: $!\n";

    $self->run(program('initdb'), '-D', "$folder/data", '-A', 'trust', '-U',
        'bench', '-E', 'UTF8', '--locale=C', '--no-sync');
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
    return $self;
}

sub spew {
    my ($path, $text) = @_;
    open my $out, '>', $path or die "cannot write $path: $!\n";
    print $out $text;
    close $out or die "cannot write $path: $!\n";
}

# Have psql execute $text in $database, with $users for :users.
sub execute {
    my ($self, $database, $text, $users) = @_;
    my $file = "$self->{folder}/text";
    spew($file, $text);
    $self->run('psql', '-q', '-h', $self->{folder}, '-U', 'bench', '-d',
        $database, '-v', "users=$users", '-v', 'ON_ERROR_STOP=1', '-f', $file);
}

# Make the peer's tables, with $users.
sub fill {
    my ($self, $users) = @_;

    $self->execute('postgres', $schema, $users);
    for my $name (keys %scripts) {
        # pgbench's variables are numbers.
        my $last = $users - 1;
        spew("$self->{folder}/$name", <<"END" . $scripts{$name});
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

# The store's users are copies of one that the tool has written.
my $copies = <<'END';
INSERT INTO userprofile.profile (id, org, type, state, gender, sequence,
        created, changed, first_name, last_name, nick_name, display_name,
        preferred_language)
    SELECT (3e17 + i)::bigint, org, type, state, gender, sequence, created,
        changed, 'First' || n, 'Last' || n, 'N' || lpad(i::text, 9, '0'),
        'First' || n || ' Last' || n, preferred_language
    FROM userprofile.profile,
        LATERAL (SELECT i, lpad(i::text, 7, '0') AS n
            FROM generate_series(1, :users - 1) i) number
    WHERE id = '300000000000000000';
VACUUM ANALYZE;
CHECKPOINT;
END

# Make a store of $users by the tool $ctl, and the scripts for store_load(),
# with the statements that $texts prints. Returns the store's URI.
sub make_store {
    my ($self, $users, $ctl, $texts) = @_;
    my $folder = $self->{folder};
    my $uri    = "postgresql://bench@/profiles?host=$folder";

    $self->execute('postgres', 'CREATE DATABASE profiles', 0);
    Users::write_users("$folder/one", 1);
    $self->run($ctl, '-s', $uri, 'init');
    $self->run($ctl, '-s', $uri, 'import', "$folder/one");
    $self->execute('profiles', $copies, $users);
    my $text = sub {
        chomp(my $text = qx("$texts" $_[0]));
        return $text;
    };
    spew("$folder/store-$_", store_script($_, $users, $text))
        for qw(get change);
    return $uri;
}

# The statements of the call $name, "get" or "change", from $clients. The server
# is not stopped between rounds.
sub store_load {
    my ($self, $name, $clients) = @_;
    my $folder = $self->{folder};
    return Pgbench->start(undef, program('pgbench'), '-c', $clients,
        store_variables(), '-f', "$folder/store-$name", '-h', $folder, '-U',
        'bench', 'profiles');
}

# The ids of all its processes.
sub processes {
    my ($self) = @_;
    open my $in, '<', "$self->{folder}/data/postmaster.pid" or return;
    my ($postmaster) = <$in> =~ /^(\d+)/ or return;
    return with_children($postmaster);
}

# Send $signal to all its processes.
sub signal {
    my ($self, $signal) = @_;
    kill $signal => $self->processes;
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
