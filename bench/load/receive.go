package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
)

// arrivals notes for each delivery: the endpoint (the last part of its path), the event's number and the moment.
type arrivals struct {
	sync.Mutex
	rows []float64
}

var answer = []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

// receiveUntilEndOfInput obeys:
//
//	listen N     opens N ports on 127.0.0.1, answers with them, separated by spaces
//	count        answers with the number of deliveries so far
//	clear        forgets them
//	dump FILE    writes them: endpoint, number, microseconds since 1970
func receiveUntilEndOfInput() {
	seen := &arrivals{rows: make([]float64, 0, 3<<20)}
	commands(func(line string) string {
		command, argument, _ := strings.Cut(line, " ")
		switch command {
		case "listen":
			count, _ := strconv.Atoi(argument)
			ports := make([]string, count)
			for i := range ports {
				listener, err := net.Listen("tcp4", "127.0.0.1:0")
				if err != nil {
					return "error " + err.Error()
				}
				go accept(listener, seen)
				ports[i] = strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
			}
			return strings.Join(ports, " ")
		case "count":
			seen.Lock()
			defer seen.Unlock()
			return strconv.Itoa(len(seen.rows) / 3)
		case "clear":
			seen.Lock()
			defer seen.Unlock()
			seen.rows = seen.rows[:0]
			return "ok"
		case "dump":
			seen.Lock()
			defer seen.Unlock()
			if err := writeRecords(argument, seen.rows); err != nil {
				return "error " + err.Error()
			}
			return "ok"
		}
		return "error no such command: " + command
	})
}

func accept(listener net.Listener, seen *arrivals) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "receiver:", err)
			return
		}
		go receive(conn, seen)
	}
}

func receive(conn net.Conn, seen *arrivals) {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 4096)
	buffers := &messageBuffers{}
	for {
		first, body, err := readMessage(in, buffers)
		if err != nil {
			return
		}
		now := nowMicros()
		path := bytes.Split(first, []byte(" "))[1]
		if bytes.HasPrefix(path, []byte("/hang/")) {
			// No answer: until the other side gives up.
			_, _ = in.ReadByte()
			return
		}
		endpoint := numberAt(path[bytes.LastIndexByte(path, '/')+1:])
		number := int64(-1)
		if at := bytes.Index(body, []byte(`"n":`)); at >= 0 {
			number = numberAt(body[at+len(`"n":`):])
		}
		seen.Lock()
		seen.rows = append(seen.rows, float64(endpoint), float64(number), float64(now))
		seen.Unlock()
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

// numberAt reads the digits that the text begins with.
func numberAt(text []byte) int64 {
	var number int64
	for _, c := range text {
		if c < '0' || c > '9' {
			break
		}
		number = number*10 + int64(c-'0')
	}
	return number
}
