package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
)

// readMessage reads one HTTP/1.1 message: its first line and its body, in buffers that the next call overwrites. It
// knows Content-Length and chunked bodies; a message with neither has none.
func readMessage(in *bufio.Reader, buffers *messageBuffers) (first, body []byte, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return nil, nil, err
	}
	buffers.first = append(buffers.first[:0], line...)
	buffers.body = buffers.body[:0]

	length, chunked := 0, false
	for {
		line, err = in.ReadSlice('\n')
		if err != nil {
			return nil, nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if value, found := header(line, "content-length"); found {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return nil, nil, err
			}
		} else if value, found := header(line, "transfer-encoding"); found {
			chunked = bytes.EqualFold(value, []byte("chunked"))
		}
	}
	if chunked {
		err = readChunks(in, buffers)
	} else {
		err = buffers.fill(in, length)
	}
	return buffers.first, buffers.body, err
}

type messageBuffers struct{ first, body []byte }

// fill appends the next length bytes to the body.
func (buffers *messageBuffers) fill(in io.Reader, length int) error {
	start := len(buffers.body)
	if cap(buffers.body) < start+length {
		buffers.body = append(make([]byte, 0, 2*(start+length)), buffers.body...)
	}
	buffers.body = buffers.body[:start+length]
	_, err := io.ReadFull(in, buffers.body[start:])
	return err
}

func readChunks(in *bufio.Reader, buffers *messageBuffers) error {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, _, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(";"))
		length, err := strconv.ParseUint(string(size), 16, 31)
		if err != nil {
			return errors.New("not a chunk size")
		}
		if err := buffers.fill(in, int(length)); err != nil {
			return err
		}
		if _, err := in.Discard(len("\r\n")); err != nil || length == 0 {
			return err
		}
	}
}

func header(line []byte, name string) ([]byte, bool) {
	if len(line) <= len(name) || line[len(name)] != ':' || !bytes.EqualFold(line[:len(name)], []byte(name)) {
		return nil, false
	}
	return bytes.TrimSpace(line[len(name)+1:]), true
}
