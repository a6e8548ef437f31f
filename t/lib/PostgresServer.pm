# PostgresServer.pm -- a PostgreSQL server of the test's own, in a folder of its
# own, with a Unix socket there and a port of 127.0.0.1.
#
#   my $postgres = PostgresServer->start(max_connections => 20);
#   my $uri = $postgres->store('one');     # a new store in the database "one"
#   $postgres->sql('one', 'SELECT 1');
#
# It does not flush, unless the settings say so. It is stopped when the object
# goes, and its folder is removed unless $KEEP is set.
package PostgresServer;

use strict;
use warnings;

use Cwd         qw(abs_path);
use File::Temp  ();
use IO::Socket::INET;
use POSIX       ();
use Scalar::Util qw(weaken);
use Time::HiRes qw(sleep time);

use FreePort;

my $PATIENCE = 60;

my %running;

my %DEFAULTS = (
    fsync              => 'off',
    full_page_writes   => 'off',
    max_connections    => 60,
    shared_buffers     => '32MB',
    log_min_messages   => 'warning',
    max_wal_size       => '256MB',
);

# Where the programs of the newest server are.
sub program {
    my ($name) = @_;
    my ($newest) = sort { ($b =~ /(\d+)/)[0] <=> ($a =~ /(\d+)/)[0] }
        glob '/usr/lib/postgresql/*/bin';
    die "there is no PostgreSQL server; its package is 'postgresql'\n"
        unless $newest;
    return "$newest/$name";
}

# The user as whom the server runs, which must not be root.
sub server_user {
    return () if $> != 0;
    return (getpwnam 'nobody')[2, 3];
}

# A folder with a database cluster, which does not run yet. "wal_megabytes", as
# initdb takes it, is how large each file of the log is.
sub prepare {
    my ($class, %settings) = @_;
    my $megabytes = delete $settings{wal_megabytes} || 16;
    my $self = $class->in_new_folder(%settings);

    $self->run(program('initdb'), '-D', $self->data, '-A', 'trust', '-U',
        'tester', '-E', 'UTF8', '--locale=C', '--no-sync',
        "--wal-segsize=$megabytes");
    $self->configure;
    return $self;
}

# The same without a cluster in it. Its port can be named.
sub in_new_folder {
    my ($class, %settings) = @_;
    my $port   = delete $settings{port} || free_port();
    my $folder = File::Temp->newdir(
        'postgres-XXXXXX',
        TMPDIR  => 1,
        CLEANUP => !$ENV{KEEP}
    );
    my $self = bless {
        folder   => $folder,
        owner    => $$,
        port     => $port,
        settings => { %DEFAULTS, %settings },
    }, $class;
    my @user = server_user();
    chown @user, "$folder" if @user;
    return $self;
}

sub start {
    my ($class, %settings) = @_;
    return $class->prepare(%settings)->launch;
}

sub data {
    my ($self) = @_;
    return "$self->{folder}/data";
}

# Write the settings; those of %more are added.
sub configure {
    my ($self, %more) = @_;
    my $settings = $self->{settings};

    @$settings{ keys %more } = values %more;
    open my $out, '>>', $self->data . '/postgresql.conf' or die "conf: $!\n";
    print $out "listen_addresses = '127.0.0.1'\nport = $self->{port}\n",
        "unix_socket_directories = '$self->{folder}'\n",
        map { "$_ = '$settings->{$_}'\n" } sort keys %$settings;
    close $out or die "conf: $!\n";
}

# Run @command as the server's user; dies if it fails.
sub run {
    my ($self, @command) = @_;
    my $log = "$self->{folder}/log";

    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        if (my ($uid, $gid) = server_user()) {
            $) = "$gid $gid";
            POSIX::setgid($gid);
            POSIX::setuid($uid);
        }
        chdir '/';
        open STDIN,  '<',  '/dev/null';
        open STDOUT, '>>', $log or POSIX::_exit(126);
        open STDERR, '>&', \*STDOUT;
        { no warnings 'exec'; exec { $command[0] } @command; }
        POSIX::_exit(127);
    }
    local $?;
    waitpid $pid, 0;
    die "failed: @command\n", $self->log if $?;
}

sub log {
    my ($self) = @_;
    open my $in, '<', "$self->{folder}/log" or return '';
    local $/;
    return scalar(<$in>) // '';
}

# Start the server in its folder.
sub launch {
    my ($self) = @_;
    $self->run(program('pg_ctl'), '-D', $self->data, '-l',
        "$self->{folder}/log", '-w', '-t', $PATIENCE, 'start');
    weaken($running{ $self->{port} } = $self);
    return $self;
}

sub pid {
    my ($self) = @_;
    open my $in, '<', $self->data . '/postmaster.pid' or return;
    my ($pid) = <$in> =~ /^(\d+)$/;
    return $pid;
}

# The server's processes, the postmaster first.
sub processes {
    my ($self) = @_;
    my $pid = $self->pid or return;
    open my $in, '<', "/proc/$pid/task/$pid/children" or return;
    return ($pid, split ' ', <$in> // '');
}

# Let no process of the server write beyond byte $limit of a file; undef: let all
# do so again.
sub limit_files {
    my ($self, $limit) = @_;
    my $soft = $limit // 'unlimited';
    # The postmaster first: those that it makes from then on inherit it.
    for my $pid ($self->pid, $self->processes) {
        my $said = qx{prlimit --pid $pid --fsize=$soft: 2>&1};
        die "prlimit: $said\n" if $? && kill 0, $pid;
    }
}

# Stop the server: "fast" ends all connections, "immediate" is a crash.
sub stop {
    my ($self, $mode) = @_;
    delete $running{ $self->{port} };
    return unless $self->pid;
    $self->run(program('pg_ctl'), '-D', $self->data, '-m', $mode || 'fast',
        '-w', '-t', $PATIENCE, 'stop');
}

# End its processes with SIGKILL, the postmaster first.
sub kill_all {
    my ($self) = @_;
    my ($pid, @children) = $self->processes or return;
    kill KILL => $pid, @children;
    my $end = time + $PATIENCE;
    for my $process ($pid, @children) {
        while (kill 0, $process) {
            my $state = do {
                open my $in, '<', "/proc/$process/stat" or last;
                <$in> // '';
            };
            last if $state =~ /\) Z/;
            die "process $process does not end\n" if time > $end;
            sleep 0.01;
        }
    }
    delete $running{ $self->{port} };
    unlink $self->data . '/postmaster.pid';
}

# A standby of this server, which runs, in a folder of its own; %settings are
# added to those of this one.
sub standby {
    my ($self, %settings) = @_;
    my $standby =
        ref($self)->in_new_folder(%{ $self->{settings} }, %settings);

    $standby->run(
        program('pg_basebackup'), '-h', $self->{folder}, '-p', $self->{port},
        '-U', 'tester', '-D', $standby->data, '-R', '-X', 'stream', '-c',
        'fast', '--no-sync'
    );
    $standby->configure;
    return $standby->launch;
}

# Have the server read its settings again, with %more.
sub reload {
    my ($self, %more) = @_;
    $self->configure(%more);
    $self->run(program('pg_ctl'), '-D', $self->data, 'reload');
}

sub promote {
    my ($self) = @_;
    $self->run(program('pg_ctl'), '-D', $self->data, '-w', '-t', $PATIENCE,
        'promote');
}

# The URI of a database, by the socket; by TCP, at $port if that is another.
sub uri {
    my ($self, $database) = @_;
    return "postgresql://tester\@/$database?host=$self->{folder}"
        . "&port=$self->{port}";
}

sub tcp_uri {
    my ($self, $database, $port) = @_;
    return "postgresql://tester\@127.0.0.1:" . ($port || $self->{port})
        . "/$database";
}

# What psql prints when it executes @statements, each by itself.
sub sql {
    my ($self, $database, @statements) = @_;
    my @command = ('psql', '-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1',
        '-h', $self->{folder}, '-p', $self->{port}, '-U', 'tester', '-d',
        $database, map { ('-c', $_) } @statements);
    open my $out, '-|', @command or die "cannot run psql: $!\n";
    local $/;
    my $said = <$out> // '';
    close $out or die "psql failed: @statements\n";
    return $said =~ s/\n\z//r;
}

# A new database with an empty store; returns its URI.
sub store {
    my ($self, $database) = @_;
    my $tool = abs_path(($ENV{UP_BUILD} || 'build') . '/userprofilectl');
    $self->sql('postgres', "CREATE DATABASE $database");
    $self->run($tool, '-s', $self->uri($database), 'init');
    return $self->uri($database);
}

sub DESTROY {
    my ($self) = @_;
    return if ${^GLOBAL_PHASE} eq 'DESTRUCT' || $$ != $self->{owner};
    local ($?, $@);
    eval { $self->stop('immediate'); 1 } or warn $@;
}

END {
    local ($?, $@);
    for my $server (grep { $_ && $$ == $_->{owner} } values %running) {
        eval { $server->stop('immediate'); 1 } or warn $@;
    }
}

1;
