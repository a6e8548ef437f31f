# A disk that fails as LMDB writes the page that makes a change valid: nobody
# can tell whether it was made. The client is told so, and the log each time.
use strict;
use warnings;

use Test::More;
use OwnServer;
use UserProfile;

my $CHANGES = 20;

my $tmp   = File::Temp->newdir('strace-XXXXXX', TMPDIR => 1);
my $trace = "$tmp/trace";

my $config = <<'END';
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 64M
StartServers 4
Include "${CONF}/everywhere.conf"
END

# A store to be copied, as a server left it: the next one changes nothing in it
# as it starts.
my ($site, $user);
{
    my $server = OwnServer->start($config);
    local $UserProfile::store = $server->store;
    $site = site();
    $user = human($site);
    $server->stop;
    copy($server->file('store'), "$tmp/store");
}

sub copy {
    my ($from, $to) = @_;
    system('cp', '-R', $from, $to) == 0 or die "cannot copy the store\n";
}

# A server with a copy of it, under strace with @options.
sub start {
    my (@options) = @_;
    my $script = "$tmp/httpd";
    open my $out, '>', $script or die "$script: $!";
    print $out "#!/bin/sh\nexec strace -D -f -o $trace @options $ENV{UP_HTTPD} \"\$@\"\n";
    close $out or die "$script: $!";
    chmod 0755, $script;

    local $ENV{UP_HTTPD} = $script;
    my $server = OwnServer->prepare($config);
    copy("$tmp/store", $server->file('store'));
    return $server->launch;
}

sub change {
    my ($server, $turn) = @_;
    return request(PUT => $server->url("/users/$user/profile"), { bearer($site) },
        { firstName => "N$turn", lastName => 'L', displayName => 'D' });
}

# Which write of a child's first change is that page's: it is shorter than the
# others. All are its writer's, whose writes strace counts, as it cannot tell them
# apart.
sub find_page {
    my $server = start('-e trace=pwrite64');
    my $mark   = -s $trace || 0;
    is change($server, 0)->code, 200, 'a change on a sound disk is 200';

    my $turn;
    $server->wait_until(sub {
        my %writes;
        for (split /\n/, UserProfile::slurp($trace, $mark)) {
            my ($thread, $length) = /^(\d+) +pwrite64\(\d+, .*, (\d+), \d+/ or next;
            $writes{$thread}++;
            return $turn = $writes{$thread} if $length % 4096;
        }
        return 0;
    });
    return $turn;
}

my $page   = find_page();
# Every other change fails: after a failure LMDB writes the old page back, and the
# next change is sound.
my $step   = 2 * $page + 1;
my $server = start("-e trace=pwrite64 -e inject=pwrite64:error=EIO:when=$page+$step");
my (@done, @unsure, @odd);
for my $turn (1 .. $CHANGES) {
    my $got = change($server, $turn);
    push @{ $got->code == 200 ? \@done : $got->content =~ /unknown/ ? \@unsure : \@odd }, $got;
}
note @done . ' done, ' . @unsure . ' uncertain, ' . @odd . ' not done';
cmp_ok scalar @unsure, '>', 1, 'several changes have an unknown outcome';
my $got = $unsure[0];
is $got->code, 503, 'an unknown outcome is 503';
is reason($got), 'STORE_UNAVAILABLE', 'an unknown outcome: the reason';
is decode($got)->{code}, 14, 'an unknown outcome: the code';
like decode($got)->{message}, qr/unknown/, 'an unknown outcome: the message says so';
is $got->header('Retry-After'), 1, 'Retry-After';
is scalar(() = $server->log =~ /:error\] .*UP0010: PUT .*whether the change was made is unknown/g), scalar @unsure,
    'an unknown outcome is logged as an error, each time';

# What is stored is what was acknowledged, and perhaps what was uncertain.
local $UserProfile::store = $server->store;
my $profile = decode(request(GET => $server->url("/users/$user/profile"), { bearer($site) }));
my $made = $profile->{details}{sequence} - 1;
cmp_ok $made, '>=', @done, 'every acknowledged change was made';
cmp_ok $made, '<=', @done + @unsure, 'no refused change was made';
my (undef, $events) = ctl('--json', 'events');
is scalar(() = $events =~ /"type":"profile\.changed"/g), $made, 'each change that was made has its event';
unlike $server->log, qr/exit signal/, 'no child died';

done_testing;
