# OpenLDAP.pm -- a peer: a slapd of our own with as many users, below the
# scratch folder, on a port of 127.0.0.1.
#
# It keeps Debian's settings (back-mdb, its indexes, 16 threads, each change
# flushed), but for the room. The caller is an entry that an access rule lets
# read and write; it binds once on each connection.
package OpenLDAP;

use strict;
use warnings;

use IO::Socket::INET ();
use POSIX            ();
use Time::HiRes      qw(sleep time);

use FreePort;
use Generator;
use Stage qw(settle);
use Users ();

my $SLAPD    = '/usr/sbin/slapd';
my $SLAPADD  = '/usr/sbin/slapadd';
my $PATIENCE = 60;

my $CALLER   = "uid=$Users::CALLER,dc=example";
my $PASSWORD = 'benchmark-password';
my $PEOPLE   = 'ou=people,dc=example';

my $HEAD = <<"END";
dn: dc=example
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: $CALLER
objectClass: account
objectClass: simpleSecurityObject
uid: $Users::CALLER
userPassword: $PASSWORD

dn: $PEOPLE
objectClass: organizationalUnit
ou: people

END

my $running;

sub spew {
    my ($path, @text) = @_;
    open my $out, '>', $path or die "cannot write $path: $!\n";
    print $out @text;
    close $out or die "cannot write $path: $!\n";
}

# Start @command with its output to the log; returns its process id.
sub launch {
    my ($self, @command) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>>', "$self->{folder}/log";
        open STDERR, '>&', \*STDOUT;
        exec(@command) or print "cannot run $command[0]: $!\n";
        POSIX::_exit(127);
    }
    return $pid;
}

sub start {
    my ($class, $folder, $users) = @_;
    my $self = bless {
        folder => $folder,
        users  => $users,
        port   => free_port()
    }, $class;

    mkdir $_ or die "cannot make $_: $!\n" for $folder, "$folder/data";
    $self->configure;
    $self->fill;
    $self->{pid} = $self->launch($SLAPD, '-d', 0, '-f', "$folder/slapd.conf",
        '-h', "ldap://127.0.0.1:$self->{port}/");
    $running = $self;
    my $end = time + $PATIENCE;
    until ($self->answers) {
        die "slapd took too long\n" . $self->log if time > $end;
        sleep 0.05;
    }
    return $self;
}

sub configure {
    my ($self) = @_;
    my $folder  = $self->{folder};
    my $schemas = join '',
        map { "include /etc/ldap/schema/$_.schema\n" }
        qw(core cosine inetorgperson);

    spew("$folder/slapd.conf", $schemas, <<"END");
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile $folder/slapd.pid
argsfile $folder/slapd.args
loglevel none

database mdb
suffix "dc=example"
directory $folder/data
maxsize 17179869184
checkpoint 512 30
index objectClass eq
index cn,uid eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="$CALLER" write by * none
END
}

# An entry with the names that Users.pm gives.
sub entry {
    my ($i) = @_;
    my $id = sprintf '3%017d', $i;
    my ($first, $last) = map { sprintf "$_%07d", $i } qw(First Last);
    return <<"END";
dn: uid=$id,$PEOPLE
objectClass: inetOrgPerson
uid: $id
cn: $first $last
sn: $last
givenName: $first
displayName: $first $last
preferredLanguage: en

END
}

sub fill {
    my ($self) = @_;
    my $folder = $self->{folder};

    open my $out, '>', "$folder/ldif" or die "ldif: $!\n";
    print $out $HEAD;
    for (my $i = 0; $i < $self->{users}; $i++) { print $out entry($i) }
    close $out or die "ldif: $!\n";
    waitpid $self->launch($SLAPADD, '-q', '-f', "$folder/slapd.conf", '-l',
        "$folder/ldif"), 0;
    die "slapadd failed\n" . $self->log if $?;
    unlink "$folder/ldif";
    settle("$folder/data");
}

sub log {
    my ($self) = @_;
    return `tail "$self->{folder}/log"`;
}

sub answers {
    my ($self) = @_;
    if (waitpid($self->{pid}, POSIX::WNOHANG()) != 0) {
        delete $self->{pid};
        die "slapd ended\n" . $self->log;
    }
    return IO::Socket::INET->new(
        PeerAddr => '127.0.0.1',
        PeerPort => $self->{port}
    );
}

# Load of one $kind, "read" or "change", from $clients connections.
sub load {
    my ($self, $kind, $clients) = @_;
    return OpenLDAP::Load->start("$self->{folder}/../ldap_load",
        $self->{port}, $CALLER, $PASSWORD, $PEOPLE, $kind, $self->{users},
        $clients);
}

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    undef $running;
    kill TERM => $pid;
    waitpid $pid, 0;
}

END {
    local $?;
    $running->stop if $running;
}

# One ldap_load for all rounds of a row.
package OpenLDAP::Load;

sub start {
    my ($class, @command) = @_;
    return bless { generator => Generator->start(@command) }, $class;
}

# Its figures; none if it failed.
sub round {
    my ($self, $seconds) = @_;
    $self->{generator}->say($seconds);
    my $line = $self->{generator}->line($seconds + $PATIENCE) // 'no answer';
    return figures_of($line);
}

sub figures_of {
    my ($line) = @_;
    my @numbers = split ' ', $line;
    if (@numbers != 5 || grep { !/^[\d.]+$/ } @numbers) {
        warn "$line\n";
        return {};
    }
    my %figures;
    @figures{qw(rate p50 p95 p99 max)} = @numbers;
    return \%figures;
}

sub warm_up { my ($self, $seconds) = @_; $self->round($seconds) }

sub end { $_[0]{generator}->end }

1;
