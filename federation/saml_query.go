package federation

import (
	"bytes"
	"compress/flate"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	dsig "github.com/russellhaering/goxmldsig"
)

// query is a message as it came by HTTP-Redirect (Bindings §3.4): signed are the octets of the
// query as they came, since no two writers escape alike.
type query struct {
	field     string // SAMLRequest or SAMLResponse
	relay     string
	doc       []byte
	octets    string // that are signed
	algorithm string
	signature []byte
}

const deflateEncoding = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"

var queryNames = []string{"SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature", "SAMLEncoding"}

// readQuery takes a query apart. Of everything that counts there is at most one, under its plain
// name, so that nobody reads another one than what is verified.
func readQuery(raw string) (q query, err error) {
	if len(raw) > maxEncoded {
		return q, fmt.Errorf("more than %d characters", maxEncoded)
	}
	written, read := map[string]string{}, map[string]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		if err != nil {
			return q, err
		}
		if !slices.ContainsFunc(queryNames, func(n string) bool { return strings.EqualFold(n, plain) }) {
			continue
		}
		if _, twice := written[name]; twice || !slices.Contains(queryNames, name) {
			return q, fmt.Errorf("%.40s comes twice, or in disguise", plain)
		}
		written[name] = value
		if read[name], err = url.QueryUnescape(value); err != nil {
			return q, err
		}
	}
	q.field = "SAMLRequest"
	if _, answers := written["SAMLResponse"]; answers {
		q.field = "SAMLResponse"
	}
	if len(written["SAMLRequest"]) > 0 == (len(written["SAMLResponse"]) > 0) {
		return q, errors.New("not one message")
	}
	if e := read["SAMLEncoding"]; e != "" && e != deflateEncoding {
		return q, fmt.Errorf("encoding %.100q", e)
	}
	q.octets = q.field + "=" + written[q.field]
	if relay, there := written["RelayState"]; there {
		q.octets += "&RelayState=" + relay
	}
	q.octets += "&SigAlg=" + written["SigAlg"]
	q.relay, q.algorithm = read["RelayState"], read["SigAlg"]
	if q.signature, err = unbase64(read["Signature"]); err != nil {
		return q, err
	}
	q.doc, err = inflated(read[q.field])
	return q, err
}

// inflated reads a deflated message, of which no more is unpacked than may be.
func inflated(field string) ([]byte, error) {
	packed, err := unbase64(field)
	if err != nil {
		return nil, err
	}
	doc, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), int64(messageBounds.size)+1))
	if err == nil && len(doc) > messageBounds.size {
		err = fmt.Errorf("more than %d bytes", messageBounds.size)
	}
	return doc, err
}

var queryAlgorithms = map[string]x509.SignatureAlgorithm{
	dsig.RSASHA256SignatureMethod: x509.SHA256WithRSA, dsig.RSASHA384SignatureMethod: x509.SHA384WithRSA, dsig.RSASHA512SignatureMethod: x509.SHA512WithRSA,
	dsig.ECDSASHA256SignatureMethod: x509.ECDSAWithSHA256, dsig.ECDSASHA384SignatureMethod: x509.ECDSAWithSHA384, dsig.ECDSASHA512SignatureMethod: x509.ECDSAWithSHA512,
}

// signedBy verifies the signature over the octets, by a certificate that is good now.
func (q query) signedBy(certificates []*x509.Certificate, now time.Time) error {
	if len(q.signature) == 0 {
		return errors.New("no signature")
	}
	algorithm, known := queryAlgorithms[q.algorithm]
	if !known {
		return fmt.Errorf("signature algorithm %.100q", q.algorithm)
	}
	signature := q.signature
	if strings.Contains(q.algorithm, "#ecdsa-") {
		var err error
		if signature, err = pairToASN1(signature); err != nil {
			return err
		}
	}
	for _, c := range certificates {
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			continue
		}
		if c.CheckSignature(algorithm, []byte(q.octets), signature) == nil {
			return nil
		}
	}
	return errUnknownSigner
}
