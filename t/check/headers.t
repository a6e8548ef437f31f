# headers.t -- every header compiles alone.
use strict;
use warnings;

use Test::More;
use SourceTree;

chomp(my $apr = `apr-1-config --cppflags --includes`);
chomp(my $httpd = `apxs -q INCLUDEDIR`);
my $gen = products() . '/gen';
chomp(my $libpq = `pg_config --includedir 2>/dev/null`);

for my $path (files(qr/\.h$/, 'src')) {
    my $more =
          $path =~ m{^src/httpd/}            ? "-I$httpd"
        : $path =~ m{^src/store/postgresql/} ? "-I$libpq"
        :                                      '';
    my $said = `gcc -std=c99 -Wall -Wextra -Werror -Wno-unused-parameter \\
        -fsyntax-only -Isrc -I$gen $apr $more -include $path \\
        -x c /dev/null 2>&1`;
    is($said, '', "$path compiles alone");
}

done_testing;
