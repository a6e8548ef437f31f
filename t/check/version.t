# version.t -- the version in the Makefile is that of the tool, the changes, the
# package, and the description of the calls.
use strict;
use warnings;

use JSON::PP ();
use Test::More;
use SourceTree;

my ($version) = slurp('Makefile') =~ /^VERSION +?= (\S+)$/m;
like($version, qr/^\d+\.\d+\.\d+$/, 'the Makefile has a version');

my $tool = products() . '/userprofilectl';
is(`$tool --version`, "userprofilectl $version\n", 'userprofilectl --version');
my ($changed) = slurp('conf/CHANGES') =~ /^(\d\S*)$/m;
is($changed, $version, 'conf/CHANGES begins with it');
my ($packaged) = slurp('conf/debian/changelog') =~ /^mod-userprofile \((\S+)-/;
is($packaged, $version, 'the changelog of the package begins with it');
is(JSON::PP->new->utf8->decode(slurp('conf/openapi.json'))->{info}{version},
    $version, 'conf/openapi.json has it');

# Nothing else has it spelt out: the module gets it from the Makefile.
my @spelt = grep { slurp($_) =~ /"\Q$version\E"/ } files(qr/\.[ch]$/, 'src');
is_deeply(\@spelt, [], 'no source has it spelt out');

# What the package needs to be built is what make installs.
my %needed = map { $_ => 1 } map { split } slurp('Makefile') =~
    /^BUILD_PACKAGES = ((?:.*\\\n)*.*)$/m ? $1 =~ s/\\\n//gr : ();
my ($list) = slurp('conf/debian/control') =~ /^Build-Depends: (.*(?:\n .*)*)/m;
my %depends = map { s/\s.*//r => 1 } split /,\s*/, $list;
delete @depends{qw(debhelper-compat dh-apache2)};
is_deeply([sort keys %depends], [sort keys %needed],
    'the package is built with the packages that make wants');

done_testing;
