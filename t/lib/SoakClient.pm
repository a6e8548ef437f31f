# SoakClient.pm -- the checking clients of t/70faults/soak.t: processes that know
# what must be stored, because nobody else changes their users.
#
#   my $client = SoakClient::profiles($server, $site, @users);
#   my $tool   = SoakClient::imports($server, $org, \@users);
#   ...
#   my $said = $client->();       # when the file "stop" is there
#
# What it returns is { figures => { name => count }, wrong => [sentences], user =>
# { id => [first name, sequence] } }. A client that sees something wrong says so
# in the file "wrong" at once, and ends.
package SoakClient;

use strict;
use warnings;

use Fcntl qw(:flock);
use JSON::PP ();
use LWP::UserAgent;
use POSIX ();
use Time::HiRes qw(sleep);

use UserProfile;

# How long, in seconds, an answer may take whatever happens to the server.
my $PATIENCE = 300;

my $json = JSON::PP->new->utf8->canonical;

# Begin &$work, given the server, in another process.
sub begin {
    my ($server, $work) = @_;
    my $folder = File::Temp->newdir('soak-client-XXXXXX', TMPDIR => 1);
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my $said = eval { $work->() } || { wrong => ["a client died: $@"] };
        complain($server, @{ $said->{wrong} || [] });
        write_file("$folder/said", $json->encode($said));
        POSIX::_exit(0);
    }
    return sub {
        waitpid $pid, 0;
        my $said = UserProfile::slurp("$folder/said");
        return length $said ? $json->decode($said) : { wrong => ['a client ended without a word'] };
    };
}

sub write_file {
    my ($path, $text) = @_;
    open my $out, '>', $path or die "$path: $!";
    print $out $text;
    close $out or die "$path: $!";
}

# Say what is wrong, for the one who makes the faults.
sub complain {
    my ($server, @sentences) = @_;
    return unless @sentences;
    open my $out, '>>', $server->file('wrong') or die "wrong: $!";
    syswrite $out, join '', map { "$_\n" } @sentences;
    close $out;
}

sub is_over {
    my ($server) = @_;
    return -e $server->file('stop') || -s $server->file('wrong');
}

# What an answer to a change means: "made"; "refused", nothing was changed;
# "unknown"; or a sentence that says what is wrong with it.
sub outcome {
    my ($got) = @_;
    my $code = $got->code;

    # There was no answer, or it was cut off: the child was killed.
    return "no answer within $PATIENCE s"
        if $got->header('Client-Warning') && $got->message =~ /timeout/;
    return 'unknown'
        if $got->header('Client-Warning') || $got->header('Client-Aborted')
        || length $got->content < ($got->header('Content-Length') // 0);
    return 'made' if $code == 200;
    return 'refused' if $code =~ /^50[37]$/ && $got->content =~ /nothing was changed/;
    return 'unknown' if $code == 503 && $got->content =~ /whether the change was made is unknown/;
    return $got->status_line . ' ' . $got->content;
}

# Change @users, one after the other, and look at each after it.
sub profiles {
    my ($server, $site, @users) = @_;
    my $agent = LWP::UserAgent->new(timeout => $PATIENCE, keep_alive => 1);
    my %figures = map { $_ => 0 } qw(acknowledged refused unknown), 'unknown, made', 'unknown, not made';
    my %known = map { $_ => ['Gigi', 1] } @users;
    my $turn = 0;

    my $ask = sub {
        my ($method, $id, $body) = @_;
        my $request = HTTP::Request->new($method, $server->url("/users/$id/profile"),
            [bearer($site), $body ? ('Content-Type' => 'application/json') : ()],
            $body ? $json->encode($body) : undef);
        my $got = $agent->request($request);
        $figures{ $method . ' ' . ($got->header('Client-Warning') ? 'without an answer' : $got->code) }++;
        return $got;
    };

    # Read user $id until there is an answer: it must be what is known, or
    # $perhaps. Returns what is wrong, or nothing.
    my $look = sub {
        my ($id, $perhaps) = @_;
        while (1) {
            my $got = $ask->(GET => $id);
            my $how = outcome($got);
            if ($how ne 'made') {
                return "read of $id: $how" unless $how =~ /^(?:refused|unknown)$/;
                sleep 0.05;
                next;
            }
            my $read = decode($got) or return "read of $id: " . $got->content;
            my @is = ($read->{profile}{firstName} // '', $read->{details}{sequence} // 0);
            my ($known) = $known{$id};
            return if "@is" eq "@$known" && ($perhaps ? ++$figures{'unknown, not made'} : 1);
            if ($perhaps && "@is" eq "@$perhaps") {
                $figures{'unknown, made'}++;
                $known{$id} = $perhaps;
                return;
            }
            return ($is[1] < $known->[1] ? 'LOST: ' : 'WRONG: ') . "$id is @is, acknowledged was @$known"
                . ($perhaps ? ", perhaps @$perhaps" : '');
        }
    };

    my $change = sub {
        my ($id) = @_;
        my $new = ['N' . ++$turn, $known{$id}[1] + 1];
        my $got = $ask->(PUT => $id, { firstName => $new->[0], lastName => 'L', displayName => 'D' });
        my $how = outcome($got);
        return "change $turn of $id: $how" unless $how =~ /^(?:made|refused|unknown)$/;
        $figures{ $how eq 'made' ? 'acknowledged' : $how }++;
        if ($how eq 'made') {
            my $sequence = (decode($got) || {})->{details}{sequence} // 'none';
            $known{$id} = $new;
            return "WRONG: change $turn of $id was answered with sequence $sequence, not $new->[1]"
                if $sequence ne $new->[1];
        }
        sleep 0.05 if $how ne 'made';
        return $look->($id, $how eq 'unknown' ? $new : undef);
    };

    return begin($server, sub {
        my @wrong;
        until (@wrong || is_over($server)) {
            @wrong = grep { defined } map { $change->($_) } @users;
        }
        @wrong = grep { defined } map { $look->($_) } @users unless @wrong;
        return { figures => \%figures, wrong => \@wrong, user => \%known };
    });
}

# Run userprofilectl with @arguments on the server's store, with $input; its
# process id is in the file "tool" meanwhile. Returns whether it exited with 0,
# and the name of the file of its output.
sub run_tool {
    my ($server, $input, @arguments) = @_;
    my ($in, $out) = map { $server->file("tool.$_") } qw(in out);

    write_file($in, $input);
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDIN,  '<', $in  or POSIX::_exit(126);
        open STDOUT, '>', $out or POSIX::_exit(126);
        open STDERR, '>', $server->file('tool.err') or POSIX::_exit(126);
        { no warnings 'exec'; exec UserProfile::top() . '/build/userprofilectl', '-s', $server->store, @arguments; }
        POSIX::_exit(127);
    }
    write_file($server->file('tool'), $pid);
    waitpid $pid, 0;
    my $status = $?;
    unlink $server->file('tool');
    return ($status == 0, $out);
}

# Import @$users of $org again and again, and export all of the store: what it
# shows of them must be what was imported last, and no other user's sequence may
# go back. Holds the file "quiet" locked while the tool runs.
sub imports {
    my ($server, $org, $users) = @_;
    my %figures = map { $_ => 0 } map { ("$_ done", "$_ failed") } qw(imports exports);
    my (%allowed, %sequence);
    my $round = 0;

    my $import = sub {
        $round++;
        my $lines = join '', map {
            $json->encode(UserProfile::user($org, $_, firstName => "I$round")) . "\n"
        } @$users;
        my ($done) = run_tool($server, $lines, 'import', '-');
        $figures{ 'imports ' . ($done ? 'done' : 'failed') }++;
        for my $id (@$users) {
            $allowed{$id} = {} if $done;
            $allowed{$id}{"I$round"} = 1;
        }
        return;
    };

    my $export = sub {
        my ($done, $out) = run_tool($server, '', 'export');
        $figures{ 'exports ' . ($done ? 'done' : 'failed') }++;
        return unless $done;
        my %seen;
        open my $in, '<', $out or die "$out: $!";
        while (my $line = <$in>) {
            my $user = $json->decode($line)->{user} or next;
            my ($id, $name) = ($user->{id}, $user->{profile}{firstName});
            my $before = $sequence{$id} // 0;
            return "LOST: an export has $id with sequence $user->{sequence} after $before"
                if $user->{sequence} < $before;
            $sequence{$id} = $user->{sequence};
            $seen{$id} = $name;
        }
        for my $id (keys %allowed) {
            return "LOST: an export has no $id" if !defined $seen{$id} && !$allowed{$id}{''};
            return "WRONG: an export has $id as $seen{$id}, not " . join ' or ', sort keys %{ $allowed{$id} }
                unless $allowed{$id}{ $seen{$id} // '' };
            $allowed{$id} = { $seen{$id} // '' => 1 };
        }
        return;
    };

    $allowed{$_} = { '' => 1 } for @$users;
    return begin($server, sub {
        my @wrong;
        until (@wrong || is_over($server)) {
            open my $quiet, '>', $server->file('quiet') or die "quiet: $!";
            flock $quiet, LOCK_EX or die "quiet: $!";
            @wrong = grep { defined } map { $_->() } $import, $export;
            close $quiet;
            sleep 0.2;
        }
        return { figures => \%figures, wrong => \@wrong, user => {} };
    });
}

1;
