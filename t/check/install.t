# install.t -- what make install puts where, what make uninstall takes away
# again, and what they say.
use strict;
use warnings;

use File::Basename qw(dirname);
use File::Path     qw(make_path);
use File::Temp     ();
use Test::More;
use SourceTree;

# Of the make that runs this.
delete @ENV{qw(MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL)};

my $build = products();

# What "make $target" says with @variables, and its exit status. What is built
# already is taken as it is.
sub make {
    my ($target, @variables) = @_;
    my $said = `make -o all BUILD=$build $target @variables 2>&1`;
    return ($? >> 8, $said);
}

# The files below $folder, as paths within it.
sub below {
    my ($folder) = @_;
    return map { substr $_, length $folder } files(qr/./, $folder);
}

sub spew {
    my ($path, $text) = @_;
    make_path(dirname($path));
    open my $out, '>', $path or die "cannot write $path: $!\n";
    print $out $text;
    close $out or die "cannot write $path: $!\n";
}

# Staged, as for a package.
my $stage = File::Temp->newdir;
my @rhel  = (
    "DESTDIR=$stage", qw(PREFIX=/usr LIBEXECDIR=/usr/lib64/httpd/modules),
    'STATEDIR=/var/lib/httpd/userprofile',
    'LOAD=/etc/httpd/conf.modules.d/10-userprofile.conf',
    'CONF=/etc/httpd/conf.d/userprofile.conf'
);
make_path(map { "$stage/etc/httpd/$_" } qw(conf.d conf.modules.d));
my ($status, $said) = make(install => @rhel);
is($status, 0, 'RHEL: make install succeeds') or diag($said);
my %is_there = map { $_ => 1 } below($stage);
ok($is_there{$_}, "RHEL: $_ is installed")
    for '/usr/lib64/httpd/modules/mod_userprofile.so',
    '/usr/bin/userprofilectl', '/usr/share/man/man8/userprofilectl.8',
    (map { "/usr/share/userprofile/$_" } map { s{^src/wire/}{}r }
        files(qr/\.proto$/, 'src/wire/proto')),
    (map { "/usr/share/userprofile/$_" } map { s{^conf/}{}r }
        grep { -f } glob 'conf/openapi.json conf/profile/*'),
    (map { "/usr/share/doc/userprofile/$_" } map { s{^conf/}{}r }
        glob 'conf/examples/*'),
    (map { '/usr/share/man/man5/' . s{^conf/}{}r } glob 'conf/*.5'),
    (map { "/usr/share/bash-completion/completions/$_" }
        map { m{([^/]+)\.bash-completion$} } glob 'conf/*.bash-completion');
ok(-d "$stage/var/lib/httpd",
    'RHEL: the folder that the store is made in is there');
is((stat "$stage/usr/bin/userprofilectl")[2] & 0777, 0755,
    'RHEL: the tool can be run');
like(slurp("$stage/etc/httpd/conf.modules.d/10-userprofile.conf"),
    qr{^LoadModule userprofile_module /usr/lib64/httpd/modules/mod_}m,
    'RHEL: LOAD loads the module from its place');
my $conf = slurp("$stage/etc/httpd/conf.d/userprofile.conf");
like($conf, qr{^#UserProfileStore lmdb:/var/lib/httpd/userprofile$}m,
    'RHEL: CONF names the default store');
unlike($conf, qr{/apache2/}, 'RHEL: CONF has no path of Debian');
($status, $said) = make(uninstall => @rhel);
is($status, 0, 'RHEL: make uninstall succeeds') or diag($said);
is_deeply([below($stage)], [], 'RHEL: it leaves no file');

# A machine, as far as make sees it, without DESTDIR.
my $root = File::Temp->newdir;
my @here = (
    "PREFIX=$root/usr", "LIBEXECDIR=$root/modules", "SBINDIR=$root/sbin",
    "STATEDIR=$root/lib/userprofile", "SYSCONFDIR=$root/etc"
);
($status, $said) = make(install => @here);
is($status, 0, 'without the folder of the configuration it succeeds')
    or diag($said);
like($said, qr{^\Q$root\E/etc/mods-available/userprofile\.load was not installed, as there is no folder }m,
    '... and says that it has no userprofile.load');
ok(!-e "$root/etc", '... nor makes the folder');
like(slurp("$root/usr/share/userprofile/userprofile.conf"),
    qr{^#Alias \S+ \Q$root\E/usr/share/userprofile/}m,
    '... what may be included instead has the paths of PREFIX');

make_path("$root/etc/mods-available");
($status, $said) = make(install => @here);
like($said, qr{^There is no \Q$root\E/sbin/a2enmod, as apache2 is not installed}m,
    'without a2enmod it says so');
ok(-e "$root/etc/mods-available/userprofile.$_", "... userprofile.$_ is there")
    for qw(load conf);
spew("$root/sbin/a2enmod", '');
($status, $said) = make(install => @here);
like($said, qr{^To load the module: a2enmod userprofile && }m,
    'with it, it says how to load the module');
like($said, qr{KEEP \Q$root\E/etc/mods-available/userprofile\.conf},
    '... and keeps the configuration that is there');

make_path("$root/etc/mods-enabled");
symlink '../mods-available/userprofile.load',
    "$root/etc/mods-enabled/userprofile.load" or die "symlink: $!";
($status, $said) = make(uninstall => @here);
isnt($status, 0, 'a module that is enabled is not uninstalled');
like($said, qr{^Nothing was removed, as Apache loads the module: first "a2dismod}m,
    '... with a sentence');
ok(-e "$root/modules/mod_userprofile.so", '... and is still there');
unlink "$root/etc/mods-enabled/userprofile.load" or die "unlink: $!";

spew("$root/lib/userprofile/data.mdb", 'data');
spew("$root/etc/mods-available/userprofile.conf", "UserProfileMapSize 1G\n");
($status, $said) = make(uninstall => @here);
is($status, 0, 'one that is not enabled is') or diag($said);
is_deeply(
    [below($root)],
    ['/etc/mods-available/userprofile.conf', '/lib/userprofile/data.mdb',
        '/sbin/a2enmod'],
    '... but for a changed configuration and the data'
);
like($said, qr{^\Q$root\E/etc/mods-available/userprofile\.conf was changed, and stays}m,
    '... of which it says so');
like($said, qr{^The profiles in \Q$root\E/lib/userprofile stay\.$}m,
    '... both');

($status, $said) = make(install => "DESTDIR=$stage", 'LOAD=', 'CONF=');
is($status, 0, 'make install without LOAD and CONF succeeds') or diag($said);
is_deeply([grep { m{^/etc} } below($stage)], [],
    '... and puts nothing into /etc');

done_testing;
