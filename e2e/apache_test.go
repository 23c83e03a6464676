package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// apache is Debian's Apache with mod_auth_openidc in front of an application that knows
// nothing of OpenID Connect: it believes what Apache says in headers.
type apache struct {
	t      testing.TB
	Origin string
	file   string
	cmd    *exec.Cmd
	done   chan struct{}
	logs   logs
}

// settings is an Apache that needs nothing of the machine's own configuration.
const settings = `
ServerRoot "{dir}"
ServerName 127.0.0.1:{port}
Listen 127.0.0.1:{port}
PidFile "{dir}/apache.pid"
DefaultRuntimeDir "{dir}"
Mutex posixsem
ErrorLog /dev/stderr
LogLevel warn auth_openidc:info
{user}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
LoadModule socache_shmcb_module {modules}/mod_socache_shmcb.so
LoadModule ssl_module {modules}/mod_ssl.so
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
StartServers 1
ThreadsPerChild 16
MinSpareThreads 1
MaxSpareThreads 16
MaxRequestWorkers 16

SSLEngine on
SSLCertificateFile "{certificate}"
SSLCertificateKeyFile "{key}"

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client}
OIDCClientSecret {secret}
OIDCRedirectURI {origin}/private/redirect_uri
OIDCCryptoPassphrase "{passphrase}"
OIDCScope "openid profile email"
OIDCPKCEMethod S256
OIDCRemoteUserClaim email
OIDCCABundlePath "{ca}"
OIDCRedirectURLsAllowed ^{origin}/

RequestHeader unset X-Remote-User
<Location /private>
	AuthType openid-connect
	Require valid-user
	RequestHeader set X-Remote-User expr=%{REMOTE_USER}
</Location>
ProxyPass /private/redirect_uri !
ProxyPass / {application}/
`

// needApache skips where Apache need not be there, and names its binary otherwise.
func needApache(t *testing.T) string {
	t.Helper()
	needBrowser(t)
	binary := os.Getenv("IDP_TEST_APACHE")
	if binary == "" {
		t.Fatal("IDP_TEST_E2E is set, so IDP_TEST_APACHE must name the binary of Apache: make test sets both")
	}
	return binary
}

// startApache serves the origin; what the application behind it is told, it shows. It
// reports false where somebody took the origin's port since it was chosen.
func startApache(t testing.TB, binary, origin string, i *instance, c registered) bool {
	t.Helper()
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{
			"path": r.URL.Path, "user": r.Header.Get("X-Remote-User"), "sub": r.Header.Get("OIDC_CLAIM_sub"), "email": r.Header.Get("OIDC_CLAIM_email")})
	}))
	t.Cleanup(application.Close)
	at, err := url.Parse(origin)
	if err != nil {
		t.Fatal(err)
	}
	user := ""
	if os.Geteuid() == 0 { // Apache serves nobody as root
		user = "User www-data\nGroup www-data"
	}
	dir := readable(t)
	a := &apache{t: t, Origin: origin, file: filepath.Join(dir, "apache.conf"), done: make(chan struct{})}
	text := strings.NewReplacer("{dir}", dir, "{port}", at.Port(), "{user}", user, "{modules}", "/usr/lib/apache2/modules",
		"{certificate}", i.authority.Certificate, "{key}", i.authority.Key, "{ca}", i.authority.CA,
		"{issuer}", i.Issuer, "{origin}", origin, "{client}", c.ID, "{secret}", c.Secret, "{passphrase}", "only for this test",
		"{application}", application.URL).Replace(settings)
	if err := os.WriteFile(a.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a.cmd = exec.Command(binary, "-D", "FOREGROUND", "-f", a.file)
	a.cmd.Env, a.cmd.Stdout, a.cmd.Stderr = []string{"PATH=" + os.Getenv("PATH")}, &a.logs, &a.logs
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = a.cmd.Wait(); close(a.done) }()
	t.Cleanup(a.stop)
	return a.awaitReady(i.http)
}

// awaitReady returns when Apache answers, with false if it ended because its port is taken.
func (a *apache) awaitReady(client *http.Client) bool {
	a.t.Helper()
	impatient := &http.Client{Transport: client.Transport, Timeout: 10 * time.Second} // who has the port might not answer
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		select {
		case <-a.done: // first of all: who has the port might also answer
			if strings.Contains(a.logs.String(), "Address already in use") {
				return false
			}
			a.t.Fatalf("Apache ended at start:\n%s", a.logs.String())
		default:
		}
		if res, err := impatient.Get(a.Origin + "/"); err == nil {
			_ = res.Body.Close()
			return true
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("Apache does not answer after %s:\n%s", patience, a.logs.String())
		}
	}
}

// stop ends Apache, and its children with it.
func (a *apache) stop() {
	_ = a.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-a.done:
	case <-time.After(patience):
		a.t.Errorf("Apache did not end within %s of being asked", patience)
		_ = a.cmd.Process.Kill()
		<-a.done
	}
	if a.t.Failed() {
		a.t.Logf("Apache said:\n%s", a.logs.String())
	}
}

// behindApache puts Apache in front of an application, registers it, saying more where
// that is given, and lets Ann live her story there.
func behindApache(t *testing.T, leave string, more func(redirect string) []string) {
	t.Helper()
	binary := needApache(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Secure()
		i.Start()
		i.Person(ann, good)
		for range 5 {
			origin := elsewhere(t, "https")
			redirect := origin + "/private/redirect_uri"
			c := i.Client(append(more(redirect), "--name", "Acme", "--redirect-uri", redirect, "--post-logout-redirect-uri", origin+"/bye")...)
			if startApache(t, binary, origin, i, c) {
				i.meet(t, "apache.mjs", origin, c, "LEAVE="+leave)
				return
			}
		}
		t.Fatal("five times, somebody took the port that was free for Apache")
	})
}

func TestPeopleSignInAndOutOfWhatApacheGuards(t *testing.T) {
	behindApache(t, "there", func(string) []string { return nil })
}

func TestApacheForgetsThePersonWhenIdpSaysSoBehindTheBrowser(t *testing.T) {
	behindApache(t, "backchannel", func(redirect string) []string {
		return []string{"--backchannel-logout-uri", redirect + "?logout=backchannel"}
	})
}

func TestApacheForgetsThePersonWhenIdpSaysSoInAFrame(t *testing.T) {
	behindApache(t, "frontchannel", func(redirect string) []string {
		return []string{"--frontchannel-logout-uri", redirect + "?logout=get"}
	})
}
