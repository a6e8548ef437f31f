# events.t -- events: everything that is changed leaves one; those of one user;
# followed as they come; and removed when they are old.
use strict;
use warnings;

use Ctl;
use IO::Select;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $TIME = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3}|\.\d{6})?Z/;
my $BY   = 'tool:' . (getpwuid($<) // $<);
my $LIMIT = 60;    # seconds, for what a test waits for

sub changed {
    my ($store, @arguments) = @_;
    my ($code, $out, $err) = ctl($store, @arguments);
    die "@arguments: $err" if $code;
    return $out;
}

# The events of $store as [type, org, user, by, sequence, detail].
sub events_of {
    my ($store, @options) = @_;
    my @events;
    for my $line (split /\n/, changed($store, qw(events --json), @options)) {
        my %of = (detail => '', orgId => '', userId => '', sequence => '', $line =~ /"(\w+)":"([^"]*)"/g);
        push @events, [@of{qw(type orgId userId by sequence detail)}];
    }
    return @events;
}

# Everything leaves an event.
my $store = store();
my @steps = (
    [[qw(org add O1 --name One)], ['org.added', 'O1', '', $BY, '', 'One']],
    [[qw(org rename O1 Uno)],     ['org.renamed', 'O1', '', $BY, '', 'Uno']],
    [[qw(org rename O1 Uno)]],
    [[qw(user add O1 M1 --machine)], ['user.added', 'O1', 'M1', $BY, '1', '']],
    [[qw(user set O1 M1 --state locked)], ['user.locked', 'O1', 'M1', $BY, '2', '']],
    [[qw(user set O1 M1 --state active)], ['user.activated', 'O1', 'M1', $BY, '3', '']],
    [[qw(member add --org O1 M1 ORG_OWNER)], ['member.added', 'O1', 'M1', $BY, '', 'ORG_OWNER']],
    [[qw(member add --org O1 M1 ORG_OWNER)]],
    [[qw(member add --org O1 M1 ORG_USER_MANAGER)], ['member.changed', 'O1', 'M1', $BY, '', 'ORG_OWNER ORG_USER_MANAGER']],
    [[qw(member set --org O1 M1 ORG_OWNER_VIEWER)], ['member.changed', 'O1', 'M1', $BY, '', 'ORG_OWNER_VIEWER']],
    [[qw(member set A1 IAM_OWNER)], ['member.added', '', 'A1', $BY, '', 'IAM_OWNER']],
    [[qw(member remove --org O1 M1)], ['member.removed', 'O1', 'M1', $BY, '', 'ORG_OWNER_VIEWER']],
    [[qw(token add A1)], ['token.added', '', 'A1', $BY, '', 'ID']],
    [[qw(token revoke --user A1)], ['token.revoked', '', 'A1', $BY, '', 'ID']],
    [[qw(user remove O1 M1)], ['user.removed', 'O1', 'M1', $BY, '4', '']],
    [[qw(user remove O1 M1 --erase)], ['user.erased', 'O1', 'M1', $BY, '', '']],
    [[qw(org remove O1)], ['org.removed', 'O1', '', $BY, '', 'Uno']],
    [[qw(events prune --before 2001-01-01)]],
    [[qw(init)]],
);
my ($text, $id);
for my $step (@steps) {
    my ($command, @events) = @$step;
    my $last = (changed($store, qw(stat --json)) =~ /"lastEvent":(\d+)/)[0];
    my $out = changed($store, @$command);
    $text = $out if "@$command" eq 'token add A1';
    ($id) = changed($store, qw(token list)) =~ /^([0-9a-f]{16}) /m if defined $text && !$id;
    my @got = events_of($store, '--after', $last);
    $_->[5] =~ s/^ID$/$id/ for @events;
    is_deeply(\@got, \@events, "@$command: " . (@events ? "an event of type $events[0][0]" : 'no event'));
}
chomp $text;
my $all = changed($store, 'events') . changed($store, qw(events --json));
unlike($all, qr/\Q$text\E/, 'no event has the text of a token');
my ($sha256) = changed($store, qw(token list --revoked --json)) =~ /"sha256":"(\w+)"/;
unlike($all, qr/\Q$sha256\E/, 'no event has the SHA-256 of a token');
like(changed($store, 'events'), qr/^7 +$TIME +member\.changed +O1 +M1 +- +\Q$BY\E +ORG_OWNER ORG_USER_MANAGER$/m,
    'the table shows what an event says');

# Who ran the tool.
SUDO: {
    local $ENV{SUDO_USER} = 'nobody';
    changed($store, qw(org add O5));
    my $by = $< == 0 ? 'tool:nobody' : $BY;
    is((events_of($store))[-1][3], $by, 'SUDO_USER counts for root alone');
    $ENV{SUDO_USER} = 'no such user';
    changed($store, qw(org add O6));
    is((events_of($store))[-1][3], $BY, 'a SUDO_USER that there is not is not taken');
}

# Of one user.
is(scalar(grep { $_->[2] ne 'M1' } events_of($store, qw(--user M1))), 0, 'events --user lists the events about that user alone');
is(scalar events_of($store, qw(--user M1)), 9, 'events --user lists all of them');
is(scalar events_of($store, qw(--user M1 --after 8)), 3, 'events --user goes with --after');
is(scalar events_of($store, qw(--user nobody)), 0, 'events --user of an unknown user is empty');

# Followed.

# Start events --follow: its process id, its output, and its errors' file.
sub follow {
    my ($store, @options) = @_;
    my $errors = folder() . '/err';
    pipe my $read, my $write or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>&', $write  or POSIX::_exit(126);
        open STDERR, '>',  $errors or POSIX::_exit(126);
        close $read;
        { no warnings 'exec'; exec tool(), '-s', $store, qw(events --follow), @options; }
        POSIX::_exit(127);
    }
    close $write;
    return { pid => $pid, out => $read, text => '', errors => $errors };
}

# Read the output of $follower until it matches $pattern, or ends.
sub read_until {
    my ($follower, $pattern) = @_;
    my $select = IO::Select->new($follower->{out});
    my $until  = time + $LIMIT;
    while ($follower->{text} !~ $pattern) {
        return 0 if time > $until || !$select->can_read(1) && time > $until;
        next unless $select->can_read(1);
        sysread $follower->{out}, $follower->{text}, 65536, length $follower->{text} or return 0;
    }
    return 1;
}

# Wait for the end of $follower: its exit code.
sub end_of {
    my ($follower) = @_;
    my $until = time + $LIMIT;
    while (waitpid($follower->{pid}, POSIX::WNOHANG()) == 0) {
        if (time > $until) {
            kill KILL => $follower->{pid};
            waitpid $follower->{pid}, 0;
            return 'no end';
        }
        sleep 0.05;
    }
    return $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
}

sub numbers {
    my ($text) = @_;
    return [$text =~ /"number":"(\d+)"/g];
}

my $followed = store('{"org":{"id":"O1"}}');
changed($followed, qw(user add O1 U1 --machine));
my $first = follow($followed, '--json');
ok(read_until($first, qr/"number":"2"/), 'events --follow prints the events that are there');
changed($followed, qw(user set O1 U1 --state locked));
ok(read_until($first, qr/"number":"3".*\n/), 'events --follow prints an event that comes, at once');
my (undef, $stat) = ctl($followed, qw(stat --json));
like($stat, qr/"oldestReader":0,/, 'events --follow does not keep pages of the store while it waits');
kill TERM => $first->{pid};
is(end_of($first), 0, 'events --follow ends with success on SIGTERM');
is(slurp($first->{errors}), '', 'events --follow ends on SIGTERM without a word');

# Many changes, while followers come and go.
my $changes = 1200;
my $writer = fork // die "fork: $!\n";
if (!$writer) {
    my $lines = join '', map { qq({"user":{"id":"W","orgId":"O1","type":"machine","sequence":"$_"}}\n) } 1 .. 20;
    for my $i (1 .. 30) {
        ctl($followed, qw(org rename O1), "name $i");
        run($lines =~ s/"sequence":"(\d+)"/'"sequence":"' . ($1 + 20 * $i) . '"'/ger, tool(), '-s', $followed, qw(import -));
    }
    POSIX::_exit(0);
}
my ($last, @seen) = (3, 1 .. 3);
for my $signal (qw(INT TERM KILL INT)) {
    my $follower = follow($followed, '--json', '--after', $last);
    read_until($follower, qr/(?:\n.*){5}\n\z/);
    kill $signal => $follower->{pid};
    my $code = end_of($follower);
    is($code, 0, "events --follow ends with success on SIG$signal") unless $signal eq 'KILL';
    1 while sysread $follower->{out}, $follower->{text}, 65536, length $follower->{text};
    my @new = @{ numbers($follower->{text} =~ s/[^\n]*\z//r) };
    push @seen, @new;
    $last = $seen[-1];
}
waitpid $writer, 0;
my $end = (changed($followed, qw(stat --json)) =~ /"lastEvent":(\d+)/)[0];
my $rest = follow($followed, '--json', '--after', $last);
read_until($rest, qr/"number":"$end".*\n/) if $last < $end;
kill INT => $rest->{pid};
end_of($rest);
push @seen, @{ numbers($rest->{text}) };
is_deeply(\@seen, [1 .. $end], 'followers one after the other print each event once and in order');
is($end, 63, 'there were that many');

# A reader of the output that goes away.
my $left = follow($followed, '--json');
read_until($left, qr/"number":"$end".*\n/);
close $left->{out};
is(end_of($left), 0, 'events --follow ends when nobody reads its output any longer');
is(slurp($left->{errors}), '', 'events --follow ends without a word when nobody reads it');
my $gone = follow($followed, '--json');
close $gone->{out};
is(end_of($gone), 0, 'events --follow ends when nobody ever read its output');
is((run('', 'sh', '-c', '"$0" -s "$1" events --follow >/dev/full', tool(), $followed))[0], 1,
    'events --follow: a full disk is an error');

# A table, and one user.
my $table = follow($followed, qw(--user U1));
ok(read_until($table, qr/\ANUMBER +TIME .*\n2 +\S+ +user\.added .* WHAT|\n3 .*user\.locked .*\n/), 'events --follow prints a table');
changed($followed, qw(user set O1 U1 --state active));
ok(read_until($table, qr/user\.activated .*\n/), 'events --follow adds to the table as events come');
unlike($table->{text}, qr/org\.|store\./, 'events --follow --user prints the events about that user alone');
kill TERM => $table->{pid};
end_of($table);

# Another store in its place.
my ($folder) = $followed =~ /^lmdb:(.*)/;
my $replaced = follow($followed, '--json');
read_until($replaced, qr/"number":"$end".*\n/);
my ($new) = store('{"org":{"id":"O1"}}') =~ /^lmdb:(.*)/;
rename $folder, "$folder.old" or die "rename: $!\n";
rename $new, $folder or die "rename: $!\n";
is(end_of($replaced), 1, 'events --follow ends when the store is replaced');
like(slurp($replaced->{errors}), qr/\Auserprofilectl: [^\n]*\Q$folder\E[^\n]*\n\z/, 'events --follow says that the store is replaced');
my ($code, undef, $err) = ctl($followed, qw(events --follow --after 64));
is($code, 1, 'events --follow after a number that the store does not have is an error');
is($err, "userprofilectl: the last event of this store is 1, so that none can follow 64; "
        . "was the store replaced by an older one?\n", 'the message says so');

# Old events.
my $old = store('{"org":{"id":"O1"}}');
changed($old, qw(user add O1 U1 --machine));
changed($old, qw(user set O1 U1 --state locked));
is(changed($old, qw(events prune --before 2020-02-29)), "events removed: 0\n", 'events prune removes nothing that is newer');
is(scalar events_of($old), 3, 'what is newer stays');
sleep 0.01;
is(changed($old, qw(events prune --before 2999-12-31T12:00:00Z)), "events removed: 2\n", 'events prune says how many it removed');
my @left = split /\n/, changed($old, qw(events --json));
is_deeply(numbers("@left"), [3, 4], 'the last event stays, and the pruning is one');
like($left[1], qr/"type":"events\.pruned",.*"by":"\Q$BY\E","detail":"before=2999-12-31T12:00:00Z removed=2"/, 'the event of a pruning');
changed($old, qw(user set O1 U1 --state active));
is_deeply(numbers((ctl($old, qw(events --json --after 4)))[1]), [5], 'no number is given twice');
for my $wrong (qw(2026 2026-02-30 2026-13-01 yesterday 2026-01-01T00:00:00), '') {
    my ($code, $out, $err) = ctl($old, "--before=$wrong", qw(events prune));
    is($code, 2, "'$wrong' is no date");
    like($err, qr/\Auserprofilectl: --before must be a date like 2026-01-31 or a time like 2026-01-31T12:00:00Z\n/, "'$wrong': the message says what would be right");
}
is((ctl($old, qw(events prune)))[0], 2, 'events prune needs --before');

done_testing;
