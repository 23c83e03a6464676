package message

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"idp/internal/secret"
)

const (
	smtpStep  = 10 * time.Second // to connect, and to say each part
	smtpWhole = 20 * time.Second // for one letter, however slowly a server talks
)

// SMTP sends letters through a mail server, a connection each.
type SMTP struct {
	host     string
	port     int
	implicit bool // smtps: TLS from the first byte
	policy   gomail.TLSPolicy
	user     string
	password secret.String
	from     *mail.Address
	replyTo  *mail.Address
	roots    *tls.Config
}

// NewSMTP reads a mail server's URL: smtp://[user:password@]host[:587] or smtps://…[:465].
// With smtp, STARTTLS is demanded, save on loopback where it is used if offered;
// ?starttls=required, optional or off says otherwise. From is an address, "Acme
// <no-reply@acme.example>" or bare; replyTo may be "".
func NewSMTP(server secret.String, from, replyTo string) (*SMTP, error) {
	u, err := url.Parse(server.Reveal())
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Path != "" && u.Path != "/" {
		return nil, errors.New("the mail server is spelled smtp://user:password@host:587 or smtps://user:password@host:465")
	}
	s := &SMTP{host: u.Hostname(), implicit: u.Scheme == "smtps", port: 587, user: u.User.Username()}
	if s.implicit {
		s.port = 465
	}
	if p := u.Port(); p != "" {
		if s.port, err = strconv.Atoi(p); err != nil || s.port < 1 || s.port > 65535 {
			return nil, fmt.Errorf("the mail server's port is a number from 1 to 65535, not %q", p)
		}
	}
	word, _ := u.User.Password()
	s.password = secret.NewString(word)
	if err := s.secure(u.Query()); err != nil {
		return nil, err
	}
	if s.from, err = mail.ParseAddress(from); err != nil {
		return nil, fmt.Errorf("the sender %q is no mail address; spell it like: Acme <no-reply@acme.example>", from)
	}
	if replyTo != "" {
		if s.replyTo, err = mail.ParseAddress(replyTo); err != nil {
			return nil, fmt.Errorf("the reply address %q is no mail address", replyTo)
		}
	}
	return s, nil
}

func (s *SMTP) secure(query url.Values) error {
	for name := range query {
		if name != "starttls" || len(query[name]) != 1 {
			return fmt.Errorf("the mail server's URL takes starttls=required, optional or off, once, and nothing like %q", name)
		}
	}
	s.policy = gomail.TLSMandatory
	if local(s.host) {
		s.policy = gomail.TLSOpportunistic
	}
	switch query.Get("starttls") {
	case "":
	case "required":
		s.policy = gomail.TLSMandatory
	case "optional":
		s.policy = gomail.TLSOpportunistic
	case "off":
		s.policy = gomail.NoTLS
	default:
		return errors.New("starttls is required, optional or off")
	}
	if s.user != "" && s.policy != gomail.TLSMandatory && !s.implicit && !local(s.host) {
		return errors.New("a password would travel in the clear: drop starttls= from the mail server's URL, or the password")
	}
	return nil
}

func local(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Send hands the letter over. A *Failed says why not; Final if trying again is useless.
func (s *SMTP) Send(ctx context.Context, l Letter) error {
	msg, err := s.compose(l)
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, smtpWhole)
	defer stop()
	client, err := s.client(ctx)
	if err != nil {
		return fmt.Errorf("prepare mail client: %w", err)
	}
	err = client.DialAndSendWithContext(ctx, msg)
	if err == nil || msg.IsDelivered() {
		return nil // what goes wrong after the letter was taken must not send it again
	}
	return failure(err)
}

func failure(err error) *Failed {
	failed := &Failed{Said: err.Error()}
	var refusal *gomail.SendError
	var reply *textproto.Error
	switch {
	case errors.As(err, &refusal):
		failed.Code = refusal.ErrorCode()
		failed.Final = failed.Code >= 500
	case errors.As(err, &reply):
		failed.Code = reply.Code // before the letter was shown: sign-in, greeting; the operator can mend that
	}
	return failed
}

func (s *SMTP) compose(l Letter) (*gomail.Msg, error) {
	to, err := mail.ParseAddress(l.To)
	if err != nil || to.Address != l.To {
		return nil, fmt.Errorf("message %s: its address does not parse", l.ID)
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(s.from)
	msg.ToMailAddress(to)
	if s.replyTo != nil {
		msg.ReplyToMailAddress(s.replyTo)
	}
	msg.Subject(l.Subject)
	msg.SetDateWithValue(l.SentAt)
	msg.SetMessageIDWithValue(l.ID + "@" + domainOf(s.from))
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no holiday replies
	msg.SetBodyString(gomail.TypeTextPlain, l.Text)
	if l.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, l.HTML)
	}
	return msg, nil
}

func domainOf(a *mail.Address) string { return a.Address[strings.LastIndexByte(a.Address, '@')+1:] }

func (s *SMTP) client(ctx context.Context) (*gomail.Client, error) {
	secured := &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}
	if s.roots != nil {
		secured = s.roots
	}
	options := []gomail.Option{
		gomail.WithPort(s.port), gomail.WithTimeout(smtpStep), gomail.WithTLSConfig(secured), gomail.WithTLSPolicy(s.policy),
		gomail.WithHELO(domainOf(s.from)), gomail.WithDialContextFunc(s.dialer(ctx, secured)), gomail.WithoutNoop(),
	}
	if s.implicit {
		options = append(options, gomail.WithSSL())
	}
	if s.user != "" {
		options = append(options, gomail.WithUsername(s.user), gomail.WithPassword(s.password.Reveal()),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256PLUS, gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return gomail.NewClient(s.host, options...)
}

// dialer closes the connection when the whole conversation is over: the library leaves it
// open when greeting or signing in fails, and a server that drips its answers would outlast
// every single timeout.
func (s *SMTP) dialer(whole context.Context, secured *tls.Config) gomail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		connect := (&net.Dialer{}).DialContext
		if s.implicit {
			connect = (&tls.Dialer{Config: secured}).DialContext
		}
		conn, err := connect(ctx, network, address)
		if err == nil {
			context.AfterFunc(whole, func() { _ = conn.Close() })
		}
		return conn, err
	}
}
