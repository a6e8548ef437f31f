# figures.gp -- draws the table of bars in the file "data" as the picture
# "picture": gnuplot -e "data='figures.dat'; picture='figures.svg'" figures.gp
#
# The file has two blocks, which two empty lines part: reads and changes. A
# block's first line names its columns; each other one is a number of
# connections, ours, and the yardsticks.
set terminal svg size 900,400 dynamic font 'sans-serif,13' \
    background rgb 'white'
set output picture
set datafile missing '-'
set style data histogram
set style histogram cluster gap 1
set style fill solid 0.9 noborder
set boxwidth 0.9
set key autotitle columnheader top left vertical reverse Left
set border 3 lc rgb '#666666'
set xtics nomirror scale 0
set ytics nomirror
set grid ytics lt 1 lc rgb '#dddddd'
set format y "%'.0f"
set yrange [0:*]
set offsets 0, 0, graph 0.3, 0
set xlabel 'connections at once'

# A panel without figures is left empty: the zero keeps its axes.
set multiplot layout 1,2
set title 'reads a second'
plot 0 notitle lc rgb 'white', \
    for [i=2:3] data index 0 using i:xtic(1) lc rgb word('#1f5fa8 #b8bec6', i - 1)
set title 'changes a second, on disk'
plot 0 notitle lc rgb 'white', \
    for [i=2:5] data index 1 using i:xtic(1) \
    lc rgb word('#1f5fa8 #b8bec6 #d98c2b #6b9e5b', i - 1)
unset multiplot
