// Command load is both ends of the benchmark: `load publish` sends events, `load receive` takes deliveries.
//
// Both are told what to do on standard input, one line a command, answer each with one line on standard output, and
// end when standard input does, so that nothing stays behind when the script is killed. HTTP/1.1 is written by hand
// over net: on two cores, a client or a server that costs as much as the platform would measure itself.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"time"
)

func main() {
	if len(os.Args) == 2 {
		switch os.Args[1] {
		case "publish":
			publishUntilEndOfInput()
			return
		case "receive":
			receiveUntilEndOfInput()
			return
		}
	}
	fmt.Fprintln(os.Stderr, "usage: load publish | load receive")
	os.Exit(2)
}

// commands calls handle with each line of standard input, and prints what it returns.
func commands(handle func(line string) string) {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fmt.Println(handle(lines.Text()))
	}
}

func nowMicros() int64 { return time.Now().UnixMicro() }

// writeRecords writes rows of numbers as little-endian float64, which a Float64Array reads as they are.
func writeRecords(path string, numbers []float64) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	out := bufio.NewWriterSize(file, 1<<16)
	var bytes [8]byte
	for _, number := range numbers {
		binary.LittleEndian.PutUint64(bytes[:], math.Float64bits(number))
		if _, err := out.Write(bytes[:]); err != nil {
			return err
		}
	}
	return out.Flush()
}
