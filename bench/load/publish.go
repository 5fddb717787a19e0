package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// job is what a line of standard input asks for: events first … first+count-1, batch of them in a request. The event
// of number n has the key n/batch mod len(keys) and the type (n/batch/len(keys)) mod len(types).
type job struct {
	Port        int      `json:"port"`
	Connections int      `json:"connections"`
	Rate        float64  `json:"rate"` // requests a second, at even distances; 0: each connection as fast as it can
	First       int64    `json:"first"`
	Count       int64    `json:"count"`
	Batch       int64    `json:"batch"` // 0: single publishes
	Keys        []string `json:"keys"`
	Types       []string `json:"types"`
	Rest        string   `json:"rest"` // members of data after n and t
	Out         string   `json:"out"`  // a file for rows of: first number, events, sent, answered (0: not accepted)
}

// result is the line that answers it.
type result struct {
	Refused int64  `json:"refused"` // requests that got another answer than 202, or none
	Example string `json:"example"` // the first of them
	Error   string `json:"error"`
}

func publishUntilEndOfInput() {
	commands(func(line string) string {
		var asked job
		var done result
		err := json.Unmarshal([]byte(line), &asked)
		if err == nil {
			done, err = publish(&asked)
		}
		if err != nil {
			done.Error = err.Error()
		}
		text, _ := json.Marshal(done)
		return string(text)
	})
}

type run struct {
	*job
	requests int64
	next     atomic.Int64
	start    time.Time
	rows     []float64 // four a request, each written by the connection that sent it
	refused  atomic.Int64
	example  sync.Once
	result   result
}

func publish(asked *job) (result, error) {
	size := max(asked.Batch, 1)
	requests := (asked.Count + size - 1) / size
	r := &run{job: asked, requests: requests, rows: make([]float64, 4*requests)}

	// All connections are open before the first request.
	connections := make([]*connection, asked.Connections)
	for i := range connections {
		c, err := connect(asked.Port)
		if err != nil {
			return r.result, err
		}
		defer func() { c.Close() }()
		connections[i] = c
	}
	var group sync.WaitGroup
	r.start = time.Now()
	for _, c := range connections {
		group.Add(1)
		go func() {
			defer group.Done()
			r.work(c)
		}()
	}
	group.Wait()
	r.result.Refused = r.refused.Load()
	return r.result, writeRecords(asked.Out, r.rows)
}

type connection struct {
	net.Conn
	in      *bufio.Reader
	buffers messageBuffers
	request []byte
	body    []byte
}

func connect(port int) (*connection, error) {
	conn, err := net.Dial("tcp4", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return nil, err
	}
	return &connection{Conn: conn, in: bufio.NewReaderSize(conn, 4096)}, nil
}

// work sends requests on one connection until there are no more.
func (r *run) work(c *connection) {
	size := max(r.Batch, 1)
	for {
		i := r.next.Add(1) - 1
		if i >= r.requests {
			return
		}
		var sent int64
		if r.Rate > 0 {
			// The moment at which it is due counts, not the one at which a connection was free.
			due := r.start.Add(time.Duration(float64(i) / r.Rate * float64(time.Second)))
			time.Sleep(time.Until(due))
			sent = due.UnixMicro()
		} else {
			sent = nowMicros()
		}
		first := i * size
		count := min(size, r.Count-first)
		r.build(c, r.First+first, count)

		row := r.rows[4*i : 4*i+4]
		row[0], row[1], row[2] = float64(r.First+first), float64(count), float64(sent)
		status, body, err := c.exchange()
		if err == nil && accepted(status, body, r.Batch, count) {
			row[3] = float64(nowMicros())
			continue
		}
		r.refused.Add(1)
		r.example.Do(func() {
			r.result.Example = fmt.Sprintf("%s %.300s %v", bytes.TrimSpace(status), body, err)
		})
		if err != nil {
			again, err := connect(r.Port)
			if err != nil {
				fmt.Fprintln(os.Stderr, "publisher:", err)
				return
			}
			c.Conn.Close()
			c.Conn, c.in = again.Conn, again.in
		}
	}
}

// accepted tells whether all events of the request were: a batch has a result for each.
func accepted(status, body []byte, batch, count int64) bool {
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 202")) {
		return false
	}
	return batch == 0 || int64(bytes.Count(body, []byte(`"duplicate":`))) == count
}

func (c *connection) exchange() (status, body []byte, err error) {
	if _, err := c.Write(c.request); err != nil {
		return nil, nil, err
	}
	return readMessage(c.in, &c.buffers)
}

// build makes the request for events first … first+count-1 in the connection's buffer.
func (r *run) build(c *connection, first, count int64) {
	turn := first / max(r.Batch, 1)
	keys := int64(len(r.Keys))
	key, kind := r.Keys[turn%keys], r.Types[(turn/keys)%int64(len(r.Types))]

	path, body := "/v1/events", c.body[:0]
	if r.Batch == 0 {
		body = r.appendEvent(body, kind, first)
	} else {
		path = "/v1/events/batch"
		body = append(body, `{"events":[`...)
		for i := range count {
			if i > 0 {
				body = append(body, ',')
			}
			body = r.appendEvent(body, kind, first+i)
		}
		body = append(body, `]}`...)
	}
	c.body = body

	head := append(c.request[:0], "POST "...)
	head = append(head, path...)
	head = append(head, " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAuthorization: Bearer "...)
	head = append(head, key...)
	head = append(head, "\r\nContent-Length: "...)
	head = strconv.AppendInt(head, int64(len(body)), 10)
	head = append(head, "\r\n\r\n"...)
	c.request = append(head, body...)
}

func (r *run) appendEvent(body []byte, kind string, number int64) []byte {
	body = append(body, `{"type":"`...)
	body = append(body, kind...)
	body = append(body, `","data":{"n":`...)
	body = strconv.AppendInt(body, number, 10)
	body = append(body, `,"t":`...)
	body = strconv.AppendInt(body, nowMicros(), 10)
	body = append(body, ',')
	body = append(body, r.Rest...)
	return append(body, `}}`...)
}
