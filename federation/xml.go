package federation

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// bounds is how much XML we are willing to look at.
type bounds struct {
	size, depth, elements int
	comments              bool // metadata often has some; in a message they are refused
}

var (
	messageBounds  = bounds{size: 64 << 10, depth: 32, elements: 2000}
	metadataBounds = bounds{size: 1 << 20, depth: 32, elements: 20000, comments: true}
)

const maxXMLAttributes = 64 // of one element

// The namespaces of SAML 2.0, XML Signature and XML Encryption.
const (
	nsProtocol   = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion  = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsSignature  = "http://www.w3.org/2000/09/xmldsig#"
	nsEncryption = "http://www.w3.org/2001/04/xmlenc#"
	nsEncrypt11  = "http://www.w3.org/2009/xmlenc11#"
	nsExclusive  = "http://www.w3.org/2001/10/xml-exc-c14n#"
)

// parseXML reads a document that is nothing but elements, attributes and text. It is read
// once: what is verified and what is acted upon are the same tree. The walk before keeps out what
// readers differ about (document types, entities, instructions, comments, names that are
// none), and what costs more than it may.
func parseXML(doc []byte, b bounds) (*etree.Element, error) {
	if err := scanXML(doc, b); err != nil {
		return nil, err
	}
	read := func(doc []byte) (*etree.Element, error) {
		tree := etree.NewDocument()
		tree.ReadSettings.MaxDepth = b.depth + 1
		if err := tree.ReadFromBytes(doc); err != nil {
			return nil, err
		}
		if tree.Root() == nil {
			return nil, errors.New("no root element")
		}
		return tree.Root(), nil
	}
	root, err := read(doc)
	if err != nil {
		return nil, err
	}
	copied := etree.NewDocument()
	copied.SetRoot(root.Copy())
	written, err := copied.WriteToBytes()
	if err != nil {
		return nil, err
	}
	again, err := read(written)
	if err != nil {
		return nil, fmt.Errorf("read again: %w", err)
	}
	if !sameXML(root, again) {
		return nil, errors.New("the document reads differently when it is written and read again")
	}
	return root, nil
}

// xmlName is a name without its prefix. What SAML names is spelled in ASCII.
var xmlName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// scanXML walks through the tokens without keeping them.
func scanXML(doc []byte, b bounds) error {
	if len(doc) > b.size {
		return fmt.Errorf("longer than %d bytes", b.size)
	}
	s := scanner{bounds: b}
	d := xml.NewDecoder(bytes.NewReader(doc)) //nolint:gosec // tokens are looked at one by one, within bounds
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := s.take(token); err != nil {
			return err
		}
		s.any = true
	}
	if len(s.open) != 0 || s.elements == 0 {
		return errors.New("the document ends early")
	}
	return nil
}

type scanner struct {
	bounds
	open     []opened
	elements int
	any      bool // something came before
}

type opened struct {
	name     xml.Name
	prefixes map[string]string // declared there, by prefix
}

func (s *scanner) take(token xml.Token) error {
	switch t := token.(type) {
	case xml.ProcInst:
		if t.Target != "xml" || s.any {
			return errors.New("processing instruction")
		}
	case xml.Directive:
		return errors.New("document type or other directive")
	case xml.Comment:
		if !s.comments {
			return errors.New("comment")
		}
	case xml.CharData:
		if len(s.open) == 0 && strings.TrimSpace(string(t)) != "" {
			return errors.New("text outside the root")
		}
	case xml.StartElement:
		return s.start(t)
	case xml.EndElement:
		if len(s.open) == 0 || s.open[len(s.open)-1].name != t.Name {
			return errors.New("an element is closed that is not open")
		}
		s.open = s.open[:len(s.open)-1]
	}
	return nil
}

func (s *scanner) start(t xml.StartElement) error {
	if s.elements++; s.elements > s.bounds.elements {
		return fmt.Errorf("more than %d elements", s.bounds.elements)
	}
	if len(s.open) >= s.depth {
		return fmt.Errorf("more than %d levels", s.depth)
	}
	if len(s.open) == 0 && s.elements > 1 {
		return errors.New("more than one root")
	}
	if len(t.Attr) > maxXMLAttributes {
		return errors.New("too many attributes")
	}
	o := opened{name: t.Name, prefixes: map[string]string{}}
	for _, a := range t.Attr {
		prefix, declares := "", false
		switch {
		case a.Name.Space == "xmlns":
			prefix, declares = a.Name.Local, true
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			declares = true
		}
		if !declares {
			continue
		}
		if _, twice := o.prefixes[prefix]; twice || prefix == "xml" || prefix == "xmlns" || prefix != "" && a.Value == "" {
			return fmt.Errorf("the prefix %q is declared in a way that readers differ about", prefix)
		}
		o.prefixes[prefix] = a.Value
	}
	s.open = append(s.open, o)
	if err := s.named(t.Name); err != nil {
		return err
	}
	seen := map[xml.Name]bool{}
	for _, a := range t.Attr {
		if err := s.named(a.Name); err != nil {
			return err
		}
		full := a.Name
		if full.Space != "" && full.Space != "xmlns" && full.Space != "xml" {
			full.Space = s.lookup(full.Space)
		}
		if seen[full] {
			return fmt.Errorf("the attribute %s comes twice", full.Local)
		}
		seen[full] = true
	}
	return nil
}

// named says whether a name is one, with a prefix that stands for something.
func (s *scanner) named(n xml.Name) error {
	if !xmlName.MatchString(n.Local) || n.Space != "" && !xmlName.MatchString(n.Space) {
		return errors.New("a name that is none")
	}
	if n.Space != "" && n.Space != "xml" && n.Space != "xmlns" && s.lookup(n.Space) == "" {
		return fmt.Errorf("the prefix %q stands for nothing", n.Space)
	}
	return nil
}

func (s *scanner) lookup(prefix string) string {
	for _, o := range slices.Backward(s.open) {
		if space, ok := o.prefixes[prefix]; ok {
			return space
		}
	}
	return ""
}

// sameXML reports whether two trees have the same names, attributes and texts.
func sameXML(a, b *etree.Element) bool {
	if a.Space != b.Space || a.Tag != b.Tag || len(a.Attr) != len(b.Attr) {
		return false
	}
	for i := range a.Attr {
		x, y := a.Attr[i], b.Attr[i]
		if x.Space != y.Space || x.Key != y.Key || x.Value != y.Value {
			return false
		}
	}
	x, y := a.ChildElements(), b.ChildElements()
	if len(x) != len(y) || rawText(a) != rawText(b) {
		return false
	}
	for i := range x {
		if !sameXML(x[i], y[i]) {
			return false
		}
	}
	return true
}

func rawText(el *etree.Element) string {
	var all strings.Builder
	for _, child := range el.Child {
		if c, ok := child.(*etree.CharData); ok {
			all.WriteString(c.Data)
		}
	}
	return all.String()
}

// isElement reports whether an element has that name in that namespace.
func isElement(el *etree.Element, space, tag string) bool {
	return el != nil && el.Tag == tag && el.NamespaceURI() == space
}

// textOf returns all the text of an element that holds nothing else.
func textOf(el *etree.Element) (string, error) {
	for _, child := range el.Child {
		if _, ok := child.(*etree.CharData); !ok {
			return "", fmt.Errorf("%s holds more than text", el.Tag)
		}
	}
	return strings.TrimSpace(rawText(el)), nil
}

// attrOf returns an attribute that is in no namespace.
func attrOf(el *etree.Element, name string) string {
	for _, a := range el.Attr {
		if a.Space == "" && a.Key == name {
			return a.Value
		}
	}
	return ""
}

// childrenOf returns the children of that name, childOf the only one: nil if there is none.
func childrenOf(el *etree.Element, space, tag string) (all []*etree.Element) {
	for _, child := range el.ChildElements() {
		if isElement(child, space, tag) {
			all = append(all, child)
		}
	}
	return all
}

func childOf(el *etree.Element, space, tag string) *etree.Element {
	if all := childrenOf(el, space, tag); len(all) == 1 {
		return all[0]
	}
	return nil
}

// eachElement walks through a tree, root first.
func eachElement(el *etree.Element, do func(*etree.Element)) {
	do(el)
	for _, child := range el.ChildElements() {
		eachElement(child, do)
	}
}

// part is what may stand in one place of an element.
type part struct {
	space     string
	tags      []string
	min, most int
}

func exactly(space string, tags ...string) part  { return part{space, tags, 1, 1} }
func optional(space string, tags ...string) part { return part{space, tags, 0, 1} }
func several(space string, tags ...string) part  { return part{space, tags, 0, 1000} }

// holds reports that an element has exactly those children, in that order, and no text.
func holds(el *etree.Element, parts ...part) error {
	if strings.TrimSpace(rawText(el)) != "" {
		return fmt.Errorf("text in %s", el.Tag)
	}
	rest := el.ChildElements()
	for _, p := range parts {
		n := 0
		for n < len(rest) && n < p.most && rest[n].NamespaceURI() == p.space && slices.Contains(p.tags, rest[n].Tag) {
			n++
		}
		if n < p.min {
			return fmt.Errorf("%s is not in its place in %s", strings.Join(p.tags, " or "), el.Tag)
		}
		rest = rest[n:]
	}
	if len(rest) != 0 {
		return fmt.Errorf("%s is not expected in %s", rest[0].Tag, el.Tag)
	}
	return nil
}
