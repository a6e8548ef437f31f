# Httpd.pm -- a server of the benchmark: Apache with mod_userprofile and the
# yardstick module beside it.
#
#   my $server = Httpd->start(
#       name     => 'queue',      its folder below the scratch folder
#       folder   => $scratch,
#       module   => $path,        which mod_userprofile.so
#       store    => $folder,      or a URI
#       pool     => 32,           connections, if it is one of PostgreSQL
#       children => 1,
#       threads  => 192,          in each child
#       answers  => {get => ['200', 353]},
#       under    => ['valgrind']  a command to run it under, as one process
#   );
#   $server->stop;
package Httpd;

use strict;
use warnings;

use IO::Socket::INET;
use Time::HiRes qw(sleep time);

use BenchCalls ();
use FreePort;
use Users ();

# How long a server may take to start or stop, in seconds.
my $PATIENCE = 60;

my @MODULES =
    qw(mpm_event unixd authn_core authz_core authz_user http2 userprofile);

my @running;

sub start {
    my ($class, %self) = @_;
    my $self = bless { port => free_port(), %self }, $class;

    $self->{root} = "$self->{folder}/$self->{name}";
    mkdir $self->{root} or die "cannot make $self->{root}: $!\n";
    $self->configure;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDERR, '>>', "$self->{root}/error.log";
        my @under = @{ $self->{under} || [] };
        exec @under, $ENV{HTTPD}, '-f', "$self->{root}/httpd.conf",
            @under ? '-X' : '-DFOREGROUND';
        die "cannot run $ENV{HTTPD}: $!\n";
    }
    $self->{pid} = $pid;
    push @running, $self;
    $self->wait_until(sub { $self->answers });
    return $self;
}

# LoadModule lines for the modules that this httpd has not built in.
sub module_lines {
    my ($self) = @_;
    my %built_in = map { /^\s*(?:mod_)?(\w+)\.c/ ? ($1 => 1) : () }
        `$ENV{HTTPD} -l`;
    my %file = (
        userprofile => $self->{module},
        yardstick   => "$self->{folder}/mod_yardstick.so"
    );
    return join '', map {
        my $file = $file{$_} || "$ENV{LIBEXECDIR}/mod_$_.so";
        "LoadModule ${_}_module \"$file\"\n"
    } grep { !$built_in{$_} } @MODULES, 'yardstick';
}

# The places where mod_userprofile is on.
sub our_places {
    return join '', map { <<"END" } @BenchCalls::PLACES;
<Location $_>
    UserProfile On
    AuthType UserProfile
    AuthName "profiles"
    Require valid-user
</Location>
END
}

# A place for each answer of the yardstick, and one more behind our tokens.
sub yardstick_places {
    my ($self) = @_;
    my $text = '';
    for my $name (sort keys %{ $self->{answers} || {} }) {
        my $answer = join ' ', @{ $self->{answers}{$name} };
        $text .= <<"END";
<Location /idle/$name>
    Yardstick $answer
</Location>
<Location /token/$name>
    Yardstick $answer
    AuthType UserProfile
    AuthName "profiles"
    Require valid-user
</Location>
END
    }
    return $text;
}

sub configure {
    my ($self) = @_;
    my $workers = $self->{children} * $self->{threads};
    my $modules = $self->module_lines;
    my $store   = $self->{store} =~ /^\w+:/ ? $self->{store}
                                             : "lmdb:$self->{store}";
    my $pool    = $self->{pool} ? "UserProfilePool $self->{pool}" : '';
    my $places  = our_places() . $self->yardstick_places;

    open my $out, '>', "$self->{root}/httpd.conf" or die "httpd.conf: $!\n";
    print $out <<"END";
ServerRoot "$self->{root}"
ServerName 127.0.0.1
Listen 127.0.0.1:$self->{port}
PidFile "$self->{root}/httpd.pid"
DefaultRuntimeDir "$self->{root}"
ErrorLog "$self->{root}/error.log"
$modules
ServerLimit $self->{children}
StartServers $self->{children}
ThreadLimit $self->{threads}
ThreadsPerChild $self->{threads}
MaxRequestWorkers $workers
MinSpareThreads 1
MaxSpareThreads $workers
ListenBacklog 1024
MaxKeepAliveRequests 0
KeepAliveTimeout 60
Protocols h2c http/1.1

UserProfileStore "$store"
$pool
<Location /caller>
    UserProfile On
    AuthType Yardstick
    YardstickCaller $Users::CALLER
    Require valid-user
</Location>
<Location /mark>
    Yardstick 200 1 mark
</Location>
$places
END
    close $out or die "httpd.conf: $!\n";
}

sub url {
    my ($self, $path) = @_;
    return "http://127.0.0.1:$self->{port}" . ($path || '/');
}

sub answers {
    my ($self) = @_;
    die "the server ended: " . $self->log if waitpid($self->{pid}, 1) != 0;
    return IO::Socket::INET->new(
        PeerAddr => '127.0.0.1',
        PeerPort => $self->{port}
    );
}

sub log {
    my ($self) = @_;
    open my $in, '<', "$self->{root}/error.log" or return '';
    return join '', <$in>;
}

# The process ids of its children.
sub children {
    my ($self) = @_;
    open my $in, '<', "/proc/$self->{pid}/task/$self->{pid}/children"
        or return;
    return split ' ', join '', <$in>;
}

sub wait_until {
    my ($self, $happened) = @_;
    my $end = time + $PATIENCE;

    until ($happened->()) {
        die "the server took too long: " . $self->log if time > $end;
        sleep 0.05;
    }
}

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;

    @running = grep { $_ != $self } @running;
    kill TERM => $pid;
    my $ended = 0;
    my $end   = time + $PATIENCE;
    until ($ended || time > $end) {
        $ended = waitpid $pid, 1;
        sleep 0.05 unless $ended;
    }
    kill KILL => $pid unless $ended;
}

END {
    local $?;
    $_->stop for my @all = @running; # each takes itself out of the list
}

1;
