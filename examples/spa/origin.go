package main

import (
	"fmt"
	"net"
	"net/url"
)

// originOf is the origin of the page: what browsers name as its scheme, host and port, and tokens as
// azp. Browsers send the cookies of http://localhost:8080 along from pages of the same site, whatever
// the port; localhost and 127.0.0.1 are two sites. So on one machine this app goes by the name that
// idp goes by.
func originOf(listen net.Addr, issuer string) (string, error) {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", fmt.Errorf("%q is no issuer: name it like http://localhost:8080", issuer)
	}
	host, port, err := net.SplitHostPort(listen.String())
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); ip.IsUnspecified() || ip.IsLoopback() && loopback(u.Hostname()) {
		host = u.Hostname()
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip.IsLoopback()
}
