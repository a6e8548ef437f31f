# A store that cannot be opened: one sentence in the log, 503 for the clients,
# and service as soon as it is put right.
use strict;
use warnings;

use File::Path qw(remove_tree);
use Test::More;
use Time::HiRes qw(sleep time);
use OwnServer;
use UserProfile;

my $config = <<'END';
UserProfileStore "lmdb:${FOLDER}/in/store"
UserProfileMapSize 64M
# One child, which has to help itself: a later one would find the store mended.
Include "${CONF}/one_child.conf"
Include "${CONF}/everywhere.conf"
END

# A sound store, to be copied.
my $sound = File::Temp->newdir('sound-XXXXXX', TMPDIR => 1);
my ($site, $user);
{
    local $UserProfile::store = "lmdb:$sound/store";
    is +(ctl('init'))[0], 0, 'a sound store is made';
    $site = site();
    $user = human($site);
}

sub copy_to {
    my ($store) = @_;
    system('cp', '-R', "$sound/store", $store) == 0 or die "cannot copy the store\n";
}

# Make the store say that it has format 127: in LMDB's file the key "store" is
# followed by its value, which is a protobuf message and begins with the format.
sub renumber {
    my ($store) = @_;
    my $file = "$store/data.mdb";
    my $data = UserProfile::slurp($file);
    $data =~ s/store\x08[\x01-\x7e]/store\x08\x7f/g
        or die "there is no format in $file\n";
    spew($file, $data);
}

sub spew {
    my ($file, $data) = @_;
    open my $out, '>', $file or die "$file: $!";
    print $out $data;
    close $out or die "$file: $!";
}

sub again {
    my ($store) = @_;
    chmod 0700, $store;
    remove_tree($store);
    copy_to($store);
}

# What is wrong, how it comes about, how it is put right, what the log says.
my @cases = (
    ['a folder that may not be read',
        sub { copy_to($_[0]); chmod 0, $_[0] }, sub { chmod 0700, $_[0] }, qr/Permission denied/],
    ['a file that may not be read',
        sub { copy_to($_[0]); chmod 0, "$_[0]/data.mdb" }, sub { chmod 0600, "$_[0]/data.mdb" }, qr/Permission denied/],
    ['a newer format',
        sub { copy_to($_[0]); renumber($_[0]) }, \&again, qr/has format 127\b/],
    ['a file that is not LMDB\'s',
        sub { mkdir $_[0]; spew("$_[0]/data.mdb", 'x' x 100_000) }, \&again, qr/LMDB|MDB/],
    ['a file in place of the folder',
        sub { spew($_[0], 'x') }, sub { unlink $_[0]; copy_to($_[0]) }, qr/Not a directory|is no folder|not a folder/i],
    ['no folder, and none can be made',
        sub { chmod 0500, $_[0] =~ s{/store$}{}r }, sub { chmod 0700, $_[0] =~ s{/store$}{}r; copy_to($_[0]) },
        qr/Permission denied|No such file/],
);
for my $case (@cases) {
    my ($what, $break, $mend, $sentence) = @$case;
    my $server = OwnServer->prepare($config);
    my $store  = $server->file('in/store');
    mkdir $server->file('in') or die "mkdir: $!";
    $break->($store);
    $server->launch;

    # A child tries for a second before it says so.
    my @said;
    $server->wait_until(sub { @said = grep { /UP000[15]: / } split /\n/, $server->log });
    like $said[-1], $sentence, "$what: the log says why";
    like $said[-1], qr/\Q$store\E/, "$what: the log names the store";

    for my $method (qw(GET PUT)) {
        my $got = request($method => $server->url("/users/$user/profile"), { bearer($site) });
        is $got->code, 503, "$what: 503 to $method";
        is reason($got), 'STORE_UNAVAILABLE', "$what: the reason";
        is decode($got)->{code}, 14, "$what: the code";
        like $got->header('Retry-After') // '', qr/^[1-9]\d*$/, "$what: Retry-After";
        unlike $got->content, qr/\Q$store\E/, "$what: the client is not told where";
    }
    my $began = time;
    request(GET => $server->url("/users/$user/profile"), { bearer($site) }) for 1 .. 20;
    cmp_ok time - $began, '<', 3, "$what: 20 requests do not wait for the store";

    $mend->($store);
    my $mended = time;
    my $got;
    do {
        sleep 0.05;
        $got = request(GET => $server->url("/users/$user/profile"), { bearer($site) });
    } while $got->code != 200 && time < $mended + 10;
    is $got->code, 200, "$what: once it is put right, requests are served";
    cmp_ok time - $mended, '<', 2.5, "$what: once it is put right, requests are served within two seconds";
    unlike $server->log, qr/exit signal/, "$what: no child died";
    chmod 0700, $server->file('in'), $store;
}

done_testing;
