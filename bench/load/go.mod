module posthorn.dev/bench/load

go 1.22
