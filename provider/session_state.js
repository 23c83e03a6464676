/* The frame of ours in a relying party's page: it says whether who is signed in is still
   who was (OIDC Session Management). Plain ES5 that hashes by itself, since the answer must
   come at once and from any browser. */
(function () {
  'use strict';
  var cookie = document.currentScript ? document.currentScript.getAttribute('data-cookie')
    : document.getElementsByTagName('script')[0].getAttribute('data-cookie');

  /* SHA-256 (FIPS 180-4) of a text of one-byte characters, in hex. */
  var constants = [], start = [];
  (function () {
    function fraction(x) { return ((x - Math.floor(x)) * 4294967296) | 0; }
    for (var n = 2; constants.length < 64; n++) {
      var prime = true;
      for (var d = 2; d * d <= n; d++) if (n % d === 0) { prime = false; break; }
      if (!prime) continue;
      if (start.length < 8) start.push(fraction(Math.sqrt(n)));
      constants.push(fraction(Math.pow(n, 1 / 3)));
    }
  })();
  function turn(x, n) { return (x >>> n) | (x << (32 - n)); }
  function sha256(text) {
    var words = [], state = start.slice(), length = text.length, i, j;
    for (i = 0; i < length; i++) words[i >> 2] |= (text.charCodeAt(i) & 255) << (24 - (i % 4) * 8);
    words[length >> 2] |= 128 << (24 - (length % 4) * 8);
    var total = (((length + 8) >> 6) + 1) * 16;
    words[total - 2] = Math.floor(length / 536870912);
    words[total - 1] = length << 3;
    for (i = 0; i < total; i += 16) {
      var w = [], a = state.slice();
      for (j = 0; j < 64; j++) {
        if (j < 16) {
          w[j] = words[i + j] | 0;
        } else {
          var x = w[j - 15], y = w[j - 2];
          w[j] = (w[j - 16] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + w[j - 7] + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10))) | 0;
        }
        var t1 = (a[7] + (turn(a[4], 6) ^ turn(a[4], 11) ^ turn(a[4], 25)) + ((a[4] & a[5]) ^ (~a[4] & a[6])) + constants[j] + w[j]) | 0;
        var t2 = ((turn(a[0], 2) ^ turn(a[0], 13) ^ turn(a[0], 22)) + ((a[0] & a[1]) ^ (a[0] & a[2]) ^ (a[1] & a[2]))) | 0;
        a = [(t1 + t2) | 0, a[0], a[1], a[2], (a[3] + t1) | 0, a[4], a[5], a[6]];
      }
      for (j = 0; j < 8; j++) state[j] = (state[j] + a[j]) | 0;
    }
    var hex = '';
    for (i = 0; i < 8; i++) hex += ('0000000' + (state[i] >>> 0).toString(16)).slice(-8);
    return hex;
  }

  function browserState() {
    var all = document.cookie ? document.cookie.split('; ') : [];
    for (var i = 0; i < all.length; i++) {
      if (all[i].indexOf(cookie + '=') === 0) return all[i].substring(cookie.length + 1);
    }
    return '';
  }

  /* The origin that asks is part of the hash: no other site learns anything but "changed". */
  function answer(message, origin) {
    var parts = typeof message === 'string' ? /^(\S+) ([0-9a-f]{64})\.([0-9A-Za-z_-]+)$/.exec(message) : null;
    if (!parts) return 'error';
    var now = browserState();
    if (!now) return 'error'; /* the browser keeps it from frames: asking anew would go on for ever */
    /* Nobody has a session_state of nobody; who asks for one would learn whether anybody is here. */
    if (now === 'nobody') return 'changed';
    return sha256(parts[1] + ' ' + origin + ' ' + now + ' ' + parts[3]) === parts[2] ? 'unchanged' : 'changed';
  }

  window.addEventListener('message', function (e) {
    if (!e.source || !e.origin || e.origin === 'null' || e.source === window) return;
    e.source.postMessage(answer(e.data, e.origin), e.origin);
  }, false);
})();
