# What tests and benchmarks need of a machine. Sourced by the other scripts here;
# it installs what is missing, starts a throwaway PostgreSQL on loopback and ends
# what it started when the script that sourced it ends.
# shellcheck shell=bash

say() { printf '\n== %s (%s)\n' "$*" "$(date +%H:%M:%S)"; }

scratch=$(mktemp -d "${TMPDIR:-/tmp}/idp.XXXXXX")
chmod 755 "$scratch"
postgres_pid=

leave() {
	local status=$?
	trap - EXIT INT TERM
	if [ -n "$postgres_pid" ] && kill -INT "$postgres_pid" 2>/dev/null; then
		for _ in $(seq 50); do
			kill -0 "$postgres_pid" 2>/dev/null || break
			sleep 0.1
		done
	fi
	rm -rf "$scratch"
	exit "$status"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# patient COMMAND...: apt-get, which tries a download again and waits for whoever else installs something.
patient() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300 "$@"; }

# install PACKAGE...: by apt, where the machine has it and we may.
updated=
install() {
	if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
		echo "Please install: $* (this script does it by itself as root on Debian and its kin)." >&2
		exit 1
	fi
	[ -n "$updated" ] || patient update
	updated=yes
	patient install -y --no-install-recommends "$@" >/dev/null
}

need_go() {
	command -v go >/dev/null || { echo "Please install Go: go.mod names the version." >&2; exit 1; }
	# The race detector links with a C compiler.
	command -v gcc >/dev/null || command -v clang >/dev/null || install gcc libc6-dev
}

need_node() {
	command -v node >/dev/null && command -v npm >/dev/null || install nodejs npm
	if ! [ -e e2e/node_modules/.package-lock.json ] || [ e2e/package-lock.json -nt e2e/node_modules/.package-lock.json ]; then
		(cd e2e && npm ci --no-audit --no-fund --loglevel=error --fetch-retries=5)
	fi
}

need_chromium() {
	local name
	for name in chromium chromium-browser google-chrome; do
		IDP_TEST_CHROMIUM=$(command -v "$name") && break
	done
	if [ -z "${IDP_TEST_CHROMIUM:-}" ]; then
		install chromium
		IDP_TEST_CHROMIUM=$(command -v chromium)
	fi
	export IDP_TEST_CHROMIUM
}

# Only the binary and the module: Debian's package "apache2" would start a server.
need_apache() {
	[ -e /usr/lib/apache2/modules/mod_auth_openidc.so ] || install apache2-bin libapache2-mod-auth-openidc
	IDP_TEST_APACHE=/usr/sbin/apache2
	export IDP_TEST_APACHE
}

# Debian's own Python: the recipe for backends is tried with its PyJWT.
need_pyjwt() {
	/usr/bin/python3 -c 'import cryptography, jwt' 2>/dev/null || install python3-jwt python3-cryptography
}

# Unpacked, not installed: Debian's package brings and starts a web server, and is happy
# without: PHP serves it to the tests, with a configuration of their own.
need_simplesamlphp() {
	local at=e2e/simplesamlphp
	if ! php -r 'exit(extension_loaded("dom") && extension_loaded("mbstring") ? 0 : 1);' 2>/dev/null; then
		install php-cli php-xml php-mbstring
	fi
	if ! [ -e "$at/www/saml2/idp/metadata.php" ]; then
		[ -n "$updated" ] || [ "$(id -u)" != 0 ] || patient update
		updated=yes
		(cd "$scratch" && patient download simplesamlphp 2>&1 | { grep -v -i unsandboxed || true; }
			dpkg -x simplesamlphp_*.deb simplesamlphp)
		rm "$scratch/simplesamlphp/usr/share/simplesamlphp/config" # leads to where the package would keep its own
		rm -rf "$at" "$at.part"
		mv "$scratch/simplesamlphp/usr/share/simplesamlphp" "$at.part"
		mv "$at.part" "$at" # all of it or nothing
	fi
	IDP_TEST_SIMPLESAMLPHP=$PWD/$at
	export IDP_TEST_SIMPLESAMLPHP
}

postgres_bin() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1; }

# as_nobody COMMAND...: PostgreSQL refuses to run as root.
as_nobody() {
	if [ "$(id -u)" = 0 ]; then
		runuser -u postgres -- "$@"
	else
		"$@"
	fi
}

# start_postgres [SETTING=VALUE...]: a new cluster in the scratch folder, behind a random
# password, on a random loopback port. Its URL is exported as IDP_TEST_POSTGRES.
start_postgres() {
	local bin password port data=$scratch/postgres settings=()
	bin=$(postgres_bin)
	if [ -z "$bin" ]; then
		install postgresql
		bin=$(postgres_bin)
	fi
	for setting in "$@"; do settings+=(-c "$setting"); done
	password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	mkdir "$data"
	printf '%s' "$password" >"$scratch/password"
	[ "$(id -u)" != 0 ] || chown postgres "$data" "$scratch/password"
	as_nobody "$bin/initdb" --pgdata="$data" --username=postgres --auth=scram-sha-256 \
		--pwfile="$scratch/password" --encoding=UTF8 --locale=C --no-sync >/dev/null
	for _ in 1 2 3 4 5; do
		port=$((20000 + RANDOM % 12000)) # below the range that connections take theirs from
		if as_nobody "$bin/pg_ctl" --pgdata="$data" --log="$data/log" --silent --wait --timeout=300 --options="-p $port \
			-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=300 ${settings[*]}" start >/dev/null; then
			postgres_pid=$(head -1 "$data/postmaster.pid")
			export IDP_TEST_POSTGRES="postgres://postgres:$password@127.0.0.1:$port/postgres?sslmode=disable"
			export IDP_TEST_POSTGRES_PID=$postgres_pid
			return
		fi
	done
	cat "$data/log" >&2
	exit 1
}
