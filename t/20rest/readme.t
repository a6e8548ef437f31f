# readme.t -- the README's section, first users and calls, one after another as
# they stand there: each command succeeds, and answers what the README says.
use strict;
use warnings;

use Cwd qw(getcwd);
use File::Temp ();
use Test::More;
use OwnServer;
use Readme;
use UserProfile;

# Of what it says for Debian, the section that goes into a file.
my ($config) = section('On Debian 12') =~ /<<'END'\n(.*?)^END$/ms;
ok($config, 'the README has a section that serves profiles');

my $server = OwnServer->start(<<"END");
UserProfileStore "lmdb:\${FOLDER}/store"
UserProfileMapSize 64M
$config
END

# The server's user runs this, so nobody need become another one.
my $folder = File::Temp->newdir('readme-XXXXXX', TMPDIR => 1);
my $products = $ENV{UP_BUILD} || getcwd() . '/build';
open my $sudo, '>', "$folder/sudo" or die "cannot make sudo: $!\n";
print $sudo "#!/bin/sh\nexec \"\$@\"\n";
close $sudo;
chmod 0755, "$folder/sudo";
local $ENV{PATH} = "$folder:$products:$ENV{PATH}";
local $ENV{USERPROFILE_STORE} = $server->store;

my @steps =
    map { steps(section($_)) } 'First users', 'The API by example';
my $url = $server->url('') =~ s{/$}{}r;
$_->{command} =~ s/^URL=.*$/URL=$url/ for @steps;
cmp_ok(scalar @steps, '>', 12, 'the README has commands');

open my $sh, '|-', 'sh' or die "cannot start sh: $!\n";
print $sh script($folder, @steps);
close $sh;

for my $n (0 .. $#steps) {
    my ($command) = $steps[$n]{command} =~ /\A(.*)/;
    my ($status) = -e "$folder/$n.status"
        ? split ' ', UserProfile::slurp("$folder/$n.status")
        : ('not reached');
    is($status, 0, $command);
    if ($status ne '0') {
        diag(UserProfile::slurp("$folder/$n.err"), "the rest is not tried");
        last;
    }
    next unless defined $steps[$n]{answer};
    my $out = UserProfile::slurp("$folder/$n.out");
    ok(is_answer($out, $steps[$n]{answer}), '... answers what stands there')
        or diag("got:  $out\nsaid: $steps[$n]{answer}");
}

done_testing;
