// A Runtime API proxy as they are usually built: it stands between the runtime client and Lambda, and hands every request on.
// `proxy UPSTREAM` prints the port that it listens on.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	upstream := &url.URL{Scheme: "http", Host: os.Args[1]}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		// Whoever started it has ended.
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	panic(http.Serve(listener, httputil.NewSingleHostReverseProxy(upstream)))
}
