// The programs of the test bed. They build with Go 1.19, which Debian 12 ships.
module mainstay.test/testbed

go 1.19

require golang.org/x/net v0.23.0

require golang.org/x/text v0.14.0 // indirect
