# ended.t -- what was ended stays ended: what an import refuses, what --force
# takes, and what --dry-run says of both.
use strict;
use warnings;

use Ctl;
use Test::More;

my $DATES = '"creationDate":"2025-03-25T09:00:00Z","changeDate":"2025-03-25T09:00:00Z"';
my $HASH  = '00112233445566778899aabbccddeeff' x 2;

sub human {
    my ($id, $state, $sequence, $first_name) = @_;
    return qq({"user":{"id":"$id","orgId":"O1","type":"human","state":"$state","sequence":"$sequence",$DATES,)
        . qq("profile":{"firstName":"$first_name","lastName":"L","displayName":"D"}}});
}

sub machine {
    my ($id) = @_;
    return qq({"user":{"id":"$id","orgId":"O1","type":"machine","state":"active","sequence":"1",$DATES}});
}

sub token {
    my ($byte, $rest) = @_;
    return sprintf '{"token":{"userId":"%s","sha256":"%s","creationDate":"2025-03-25T09:00:00Z"%s}}',
        'A1', sprintf('%02x', $byte) . substr($HASH, 2), $rest // '';
}

# A store in which things were ended, and what it was made of.
my @old = (
    '{"org":{"id":"O1"}}',
    human('U1', 'active', 1, 'Gigi'), human('U2', 'active', 5, 'Ada'),
    human('U3', 'active', 1, 'Eve'),  machine('M1'),
    '{"member":{"userId":"U1","roles":["IAM_OWNER"]}}',
    token(1), token(2),
    '{"token":{"userId":"U1","sha256":"' . 'ab' x 32 . '","creationDate":"2025-03-25T09:00:00Z"}}',
);

sub ended {
    my $store = store(@old);
    for my $command ([qw(user remove O1 U1)], [qw(user remove O1 U3 --erase)], [qw(user set O1 U2 --nick-name Ad)],
        [qw(token revoke), '01' . substr($HASH, 2, 14)])
    {
        my ($code, undef, $err) = ctl($store, @$command);
        die "@$command: $err" if $code;
    }
    return $store;
}

# What export prints, without times of today.
sub fixed {
    return map { s/"(revoked|changeDate)":"(?!2025)[^"]+"/"$1":"now"/r } lines_of(@_);
}

my $store = ended();
my @ended = lines_of($store);
is_deeply([lines_of(store(@ended))], \@ended, 'an export with revoked tokens gives an equal store');
my @revoked = grep { /"revoked":/ } @ended;
is(scalar @revoked, 2, 'the tokens of a removed user are revoked, as one that is revoked alone');
unlike("@revoked", qr/"expires"/, 'a revoked token has no expiry');

# token list.
like((ctl($store, qw(token list --json)))[1], qr/\A.*"sha256":"0211.*\n\z/, 'token list lists no revoked token');
like((ctl($store, qw(token list --revoked --json)))[1], qr/\A(?:.*"revoked":"20.*\n){2}\z/,
    'token list --revoked lists the revoked ones alone');
like((ctl($store, qw(token list --revoked --user U1)))[1], qr/\AID +USER  CREATED +REVOKED\n(?:ab){8}  U1 .*\n\z/,
    'token list --revoked --user lists those of one user');
is((ctl($store, qw(token revoke), 'ab' x 8))[0], 1, 'a revoked token cannot be revoked again');

# The lines that an import refuses: the line, and the reason.
my @refused = (
    ['a removed user', human('U1', 'active', 9, 'Gigi'), "user 'U1' was removed here and cannot become active"],
    ['a removed user, locked', human('U1', 'locked', 9, 'Gigi'), "user 'U1' was removed here and cannot become locked"],
    ['a smaller sequence', human('U2', 'active', 5, 'Ada'), "user 'U2' has the sequence 6 here, which cannot go down to 5"],
    [
        'the values of an erased user', human('U3', 'removed', 9, 'Eve'),
        "user 'U3' was erased here and cannot get a profile again"
    ],
    ['a human as a machine', machine('U2'), "user 'U2' is a human here and cannot become a machine"],
    ['a machine as a human', human('M1', 'active', 9, 'M'), "user 'M1' is a machine here and cannot become a human"],
    ['a membership of a removed user', '{"member":{"orgId":"O1","userId":"U1","roles":["R"]}}', "user 'U1' is removed"],
    ['a new token of a removed user', '{"token":{"userId":"U1","sha256":"' . 'cd' x 32 . '"}}', "user 'U1' is removed"],
    [
        'a revoked token', token(1),
        "token 0111223344556677 of user 'A1' was revoked here and cannot become valid again"
    ],
    [
        'a revoked token that expires', token(1, ',"expires":"2030-01-01T00:00:00Z"'),
        "token 0111223344556677 of user 'A1' was revoked here and cannot become valid again"
    ],
);

for my $row (@refused) {
    my ($name, $line, $why) = @$row;
    my $file   = spew(folder() . '/lines', qq({"org":{"id":"O2"}}\n$line\n{"org":{"id":"O3"}}\n));
    my @before = lines_of($store);
    my $events = (ctl($store, 'events'))[1];

    my ($code, $out, $err) = ctl($store, 'import', $file, '--dry-run');
    is($code, 1, "$name: --dry-run says that the import would fail");
    like($out, qr/\Aline 2: \Q$why\E\nKIND/, "$name: --dry-run names the line and the reason");
    like($out, qr/^org +2 +0 +0 +0$/m, "$name: --dry-run looks at the lines after it");
    is($err, "userprofilectl: the import would stop at line 2 of '$file'; refused are 1\n",
        "$name: --dry-run says where the import would stop");
    is_deeply([lines_of($store)], \@before, "$name: --dry-run changes nothing");
    is((ctl($store, 'events'))[1], $events, "$name: --dry-run makes no event");

    ($code, undef, $err) = ctl($store, 'import', $file);
    is($code, 1, "$name stops an import");
    is(
        $err,
        "userprofilectl: the import stopped at line 2 of '$file'; the lines before it are kept: $why\n",
        "$name: the message says why"
    );
    is_deeply([lines_of($store)], [sort { ($b =~ /^{"org/) <=> ($a =~ /^{"org/) } @before, '{"org":{"id":"O2"}}'],
        "$name changes nothing, and the line before it is kept")
        if $name eq $refused[0][0];
    ctl($store, qw(org remove O2));
    is_deeply([lines_of($store)], \@before, "$name changes nothing");

    my $forced = store(@before);
    ($code, $out) = ctl($forced, 'import', $file, '--force', '--dry-run');
    is($code, 0, "$name: --force --dry-run refuses nothing");
    is_deeply([lines_of($forced)], \@before, "$name: --force --dry-run changes nothing");
    is((ctl($forced, 'import', $file, '--force'))[0], 0, "$name is taken with --force");
    my ($key) = $line =~ /"((?:id|userId|sha256)":"[^"]+)"/;
    isnt(join("\n", grep { /\Q$key\E/ } lines_of($forced)), join("\n", grep { /\Q$key\E/ } @before),
        "$name: --force stores it");
    like((ctl($forced, 'events'))[1], qr/ forced$/m, "$name: the event says that it was forced");
}

# The lines that an import takes all the same.
my @taken = (
    ['a removed user as removed',    human('U1', 'removed', 2,  'Gigi')],
    ['an erased user without values', '{"user":{"id":"U3","orgId":"O1","type":"human","state":"removed","sequence":"3","profile":{}}}'],
    ['the same sequence',            human('U2', 'active',  6,  'Ada')],
    ['a larger sequence',            human('U2', 'locked',  99, 'Ada')],
    ['a valid token as revoked',     token(2, ',"revoked":"2026-01-01T00:00:00Z"')],
    ['a revoked token of a removed user', '{"token":{"userId":"U1","sha256":"' . 'cd' x 32 . '","revoked":"2026-01-01T00:00:00Z"}}'],
);
for my $row (@taken) {
    my ($name, $line) = @$row;
    my ($code, $out, $err) = run("$line\n", tool(), '-s', $store, 'import', '-');
    is($code, 0, "an import takes $name") or diag($err);
}
is((ctl($store, qw(token list --json)))[1], '', 'a line can revoke a token');

# The counts of a dry run.
my $counted = store(@old, token(1, ',"revoked":"2026-01-01T00:00:00Z"'));
my @counted = lines_of($counted);
my @known   = grep { $_ ne token(1) } @old;
my $lines   = join '', map { "$_\n" } @known, token(1, ',"revoked":"2026-01-01T00:00:00Z"'), token(1), '{"org":{"id":"O9"}}', '{"org":{"id":"O1","name":"New"}}',
    human('U9', 'active', 1, 'N'), 'nonsense', token(7), '{"member":{"orgId":"O9","userId":"U9","roles":["R"]}}',
    '{"user":{"id":"U8","orgId":"O8","type":"machine"}}';
my ($code, $out, $err) = run($lines, tool(), '-s', $counted, qw(import --dry-run -));
is($code, 1, 'a dry run with a bad line fails');
is($out, <<'END', 'a dry run counts what would change, by kinds');
line 10: token 0111223344556677 of user 'A1' was revoked here and cannot become valid again
line 14: the text is not JSON (line 1, column 2)
line 17: there is no organisation 'O8'
KIND     ADDED  CHANGED  UNCHANGED  REFUSED
org      1      1        1          0
user     1      0        4          1
member   1      0        1          0
token    1      0        3          1
event    0      0        0          0
no item  0      0        0          1
END
like($err, qr/ would stop at line 10 of '-'; refused are 3$/, 'a dry run names the first line that is refused');
is_deeply([lines_of($counted)], \@counted, 'a dry run of many lines changes nothing');
($code, $out) = run(join('', map { "$_\n" } @old), tool(), '-s', store(), qw(import --dry-run -));
is($code, 0, 'a dry run into an empty store succeeds');
like($out, qr/^user +4 +0 +0 +0$/m, 'a dry run knows the organisations of earlier lines');

# So do those of more than a batch before.
my $many = join '', qq({"org":{"id":"O1"}}\n), map { machine("M$_") . "\n" } 1 .. 9500;
($code, $out) = run($many, tool(), '-s', store(), qw(import --dry-run -));
is($code, 0, 'a dry run of several batches succeeds');
like($out, qr/^user +9500 +0 +0 +0$/m, 'a dry run of several batches counts all of them');
my $gone = machine('M1') =~ s/"active"/"removed"/r;
$gone =~ s/\}\}$/,"state":"removed"}}/ unless $gone =~ /removed/;
my ($event) = map { s/"number":"\d+"/"number":"%d"/r } split /\n/, (ctl($counted, qw(events --json)))[1];
my $late = join '', $many =~ s/^.*"M1".*$/$gone/mr, map { "$_\n" } sprintf($event, 7), map({ machine("N$_") } 1 .. 5000),
    '{"member":{"userId":"M1","roles":["R"]}}', '{"token":{"userId":"M1","token":"0123456789abcdef"}}', sprintf($event, 6), sprintf($event, 8);
($code, $out) = run($late, tool(), '-s', store(), qw(import --dry-run -));
like($out, qr/^line 14503: user 'M1' is removed\nline 14504: user 'M1' is removed\n/, 'a dry run knows who was removed more than a batch before');
like($out, qr/^line 14505: event 6 is not here, and cannot come after event 7\nKIND/m, 'a dry run knows the last event of more than a batch before');
like($out, qr/^event +2 +0 +0 +1$/m, 'a dry run counts events');

# Dates that a line does not have.
my $dated = store('{"org":{"id":"O1"}}', machine('M1'), token(1));
my @without = ('{"user":{"id":"M1","orgId":"O1","type":"machine"}}', token(1) =~ s/,"creationDate":"[^"]+"//r);
(undef, $out) = run(join("\n", @without), tool(), '-s', $dated, qw(import -));
like($out, qr/: 0 added, 0 changed, 2 unchanged$/, 'a line without dates has those of the store');

# A line that may be too long cannot be passed by.
($code, $out, $err) = run(('x' x (5 * 1024 * 1024)) . "\n", tool(), '-s', $dated, qw(import --dry-run -));
is($code, 1, 'a dry run ends at a line that is too long');
like($err, qr/ line 1 of '-'.*longer than/, 'a dry run ends at a line that is too long: the message says so');

done_testing;
