# OwnServer.pm -- a second server, with a configuration of the test's own, for
# what cannot be tried on the shared one: wrong values, broken stores, reloads.
#
#   my $server = OwnServer->start(<<'END');
#   UserProfileStore "lmdb:${FOLDER}/store"
#   Include "${CONF}/everywhere.conf"
#   END
#   local $UserProfile::store = $server->store;
#   my $site = site();
#   request(GET => $server->url('/users/1/profile'), {bearer($site)});
#
# ${FOLDER} is a folder of its own, ${PORT} its port, and ${CONF} is t/conf. The
# server stops when the object goes, and its folder is removed unless $KEEP is
# set.
package OwnServer;

use strict;
use warnings;

use File::Basename qw(basename);
use File::Temp ();
use IO::Socket::INET;
use POSIX ();
use Scalar::Util qw(weaken);
use Time::HiRes qw(sleep time);

use FreePort;
use UserProfile ();

# How long a server may take to start or stop, in seconds.
my $PATIENCE = 60;

# Servers by their ports, for those that live until the test ends.
my %running;

# The test, which stops them also when it is interrupted; processes that it made
# for its work do not.
my $owner = $$;
use sigtrap handler => sub { $$ == $owner ? exit 1 : POSIX::_exit(1) },
    'normal-signals';

sub prepare {
    my ($class, $text) = @_;
    my $test   = basename($0) =~ s/\.t$//r;
    my $folder = File::Temp->newdir(
        "$test-server-XXXXXX",
        TMPDIR  => 1,
        CLEANUP => !$ENV{KEEP}
    );
    my $self = bless { folder => $folder, port => free_port() }, $class;

    $self->configure($text);
    return $self;
}

# Made local, a file of other LoadModule lines than the server's.
our $modules;

# Write the configuration; a server that runs reads it when it is reloaded.
sub configure {
    my ($self, $text) = @_;
    my $top = UserProfile::top();
    my $load = $modules || "$top/modules.conf";

    open my $out, '>', $self->file('httpd.conf') or die "httpd.conf: $!";
    print $out <<"END";
Define FOLDER $self->{folder}
Define PORT $self->{port}
Define CONF $top/t/conf
ServerRoot "\${FOLDER}"
ServerName 127.0.0.1
Listen 127.0.0.1:\${PORT}
PidFile "\${FOLDER}/httpd.pid"
DefaultRuntimeDir "\${FOLDER}"
ErrorLog "\${FOLDER}/error.log"
LogLevel notice
StartServers 1
Include "$load"
<IfModule userprofile_module>
    LogLevel userprofile:debug
</IfModule>
TypesConfig "$top/t/conf/mime.types"
$text
END
    close $out or die "httpd.conf: $!";
}

sub file {
    my ($self, $name) = @_;
    return "$self->{folder}/$name";
}

# The store that the example above configures.
sub store {
    my ($self) = @_;
    return 'lmdb:' . $self->file('store');
}

sub url {
    my ($self, $path) = @_;
    return "http://127.0.0.1:$self->{port}$path";
}

# Run httpd with its configuration and @arguments: exit status and output.
sub httpd {
    my ($self, @arguments) = @_;
    my $program = $ENV{UP_HTTPD} or die "UP_HTTPD is not set\n";
    my $output = $self->file('output');

    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>',  $output or die;
        open STDERR, '>&', \*STDOUT or die;
        exec $program, '-f', $self->file('httpd.conf'), @arguments;
        die "cannot run $program: $!";
    }
    waitpid $pid, 0;
    return ($? >> 8, UserProfile::slurp($output));
}

# What "apachectl configtest" says to a configuration: exit status and output.
sub configtest {
    my ($class, $text) = @_;
    return $class->prepare($text)->httpd('-t');
}

sub start {
    my ($class, $text) = @_;
    return $class->prepare($text)->launch;
}

# Start a prepared server.
sub launch {
    my ($self) = @_;
    my ($status, $output) = $self->httpd('-k', 'start');

    die "the server did not start: $output" . $self->log if $status;
    $self->wait_until(sub { $self->pid && $self->answers });
    weaken($running{ $self->{port} } = $self);
    return $self;
}

sub pid {
    my ($self) = @_;
    my ($pid) = UserProfile::slurp($self->file('httpd.pid')) =~ /^(\d+)\n/;
    return $pid;
}

sub answers {
    my ($self) = @_;
    return IO::Socket::INET->new(
        PeerAddr => '127.0.0.1',
        PeerPort => $self->{port}
    );
}

# The process ids of its children; those that died, and that it has not looked
# for yet, are none.
sub children {
    my ($self) = @_;
    my $pid = $self->pid;
    return grep { UserProfile::slurp("/proc/$_/stat") =~ /\) [^Z]/ }
        split ' ', UserProfile::slurp("/proc/$pid/task/$pid/children");
}

sub log {
    my ($self) = @_;
    return UserProfile::slurp($self->file('error.log'));
}

# Reload the configuration as "apachectl graceful" does, and wait until the
# log says so.
sub reload {
    my ($self) = @_;
    my $mark = length $self->log;
    my ($status, $output) = $self->httpd('-k', 'graceful');

    die "the server did not reload: $output" if $status;
    $self->wait_until(
        sub { substr($self->log, $mark) =~ /resuming normal operations/ });
}

sub stop {
    my ($self) = @_;
    my $pid = $self->pid or return;
    delete $running{ $self->{port} };
    kill TERM => $pid;
    $self->wait_until(sub { !kill 0, $pid });
}

sub wait_until {
    my ($self, $happened) = @_;
    my $end = time + $PATIENCE;

    until ($happened->()) {
        die "the server took too long: " . $self->log if time > $end;
        sleep 0.05;
    }
}

sub DESTROY {
    my ($self) = @_;
    return if ${^GLOBAL_PHASE} eq 'DESTRUCT' || $$ != $owner;
    local ($?, $@);
    eval { $self->stop; 1 } or warn $@;
}

END {
    if ($$ == $owner) {
        local $?;
        $_->stop for grep { $_ } values %running;
    }
}

1;
