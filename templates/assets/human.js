/* Shows that no robot fills in a form: the browser computes for a moment, while its person types. Without this file a
   mailed code does instead. Plain ES5, for old browsers. */
(function () {
  'use strict';

  /* SHA-256 of short texts (FIPS 180-4), one block, as fast as plain script can. */
  var K = new Int32Array(64), H0 = new Int32Array(8), W = new Int32Array(64);
  (function () { /* the constants are the fractions of roots of the first primes */
    var n = 2, found = 0;
    function fraction(x) { return (x - Math.floor(x)) * 4294967296 | 0; }
    for (; found < 64; n++) {
      var prime = true;
      for (var d = 2; d * d <= n; d++) if (n % d === 0) { prime = false; break; }
      if (!prime) continue;
      if (found < 8) H0[found] = fraction(Math.sqrt(n));
      K[found++] = fraction(Math.pow(n, 1 / 3));
    }
  })();

  /* The first 32 bits of the digest of text, which has at most 55 ASCII characters. */
  function first32(text) {
    var i, length = text.length;
    for (i = 0; i < 16; i++) W[i] = 0;
    for (i = 0; i < length; i++) W[i >> 2] |= text.charCodeAt(i) << (24 - (i & 3) * 8);
    W[length >> 2] |= 128 << (24 - (length & 3) * 8);
    W[15] = length * 8;
    for (i = 16; i < 64; i++) {
      var x = W[i - 15], y = W[i - 2];
      W[i] = (W[i - 16] + W[i - 7] + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3) +
        ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10)) | 0;
    }
    var a = H0[0], b = H0[1], c = H0[2], d = H0[3], e = H0[4], f = H0[5], g = H0[6], h = H0[7];
    for (i = 0; i < 64; i++) {
      var s = (h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g) + K[i] + W[i]) | 0;
      var t = (((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c)) | 0;
      h = g; g = f; f = e; e = (d + s) | 0; d = c; c = b; b = a; a = (s + t) | 0;
    }
    return (H0[0] + a) >>> 0;
  }

  /* Work on a puzzle in short slices, so that the page stays usable. */
  function solve(puzzle, progress, done) {
    var numbers = [], n = 0, least = Math.pow(2, 32 - puzzle.bits);
    (function slice() {
      var until = Date.now() + 24;
      do {
        for (var i = 0; i < 256 && numbers.length < puzzle.rounds; i++, n++) {
          if (first32(puzzle.salt + '.' + numbers.length + '.' + n) < least) {
            numbers.push(n);
            n = -1;
            progress(numbers.length);
          }
        }
      } while (numbers.length < puzzle.rounds && Date.now() < until);
      if (numbers.length < puzzle.rounds) setTimeout(slice, 0);
      else done(puzzle.challenge + ':' + numbers.join(','));
    })();
  }

  function hidden(form, name, value) {
    var input = form.querySelector('input[type=hidden][name="' + name + '"]');
    if (!input) {
      input = document.createElement('input');
      input.type = 'hidden';
      input.name = name;
      form.appendChild(input);
    }
    input.value = value;
  }

  /* A page of its own: solve, then go on. After trouble the person says when. */
  var page = document.querySelector('form[data-scripted]');
  if (page) {
    page.hidden = false;
    document.querySelector('[data-unscripted]').hidden = true;
  }
  if (page && page.hasAttribute('data-challenge')) (function () {
    var status = page.querySelector('[role=status]'), bar = page.querySelector('progress'), began = false;
    function begin() {
      if (began) return;
      began = true;
      page.querySelector('button').disabled = true;
      status.textContent = status.getAttribute('data-busy');
      solve({
        challenge: page.getAttribute('data-challenge'), salt: page.getAttribute('data-salt'),
        rounds: Number(page.getAttribute('data-rounds')), bits: Number(page.getAttribute('data-bits'))
      }, function (n) { bar.value = n; }, function (answer) {
        status.textContent = status.getAttribute('data-done');
        hidden(page, 'human', answer);
        page.submit();
      });
    }
    page.addEventListener('submit', function (event) { event.preventDefault(); begin(); });
    if (!document.getElementById('trouble')) begin();
  })();

  /* The widget of a captcha brings its own script. */
  var widget = document.querySelector('[data-widget]');
  if (widget) {
    var script = document.createElement('script');
    script.src = widget.getAttribute('data-widget');
    script.async = true;
    document.head.appendChild(script);
  }

  /* A form for which a check may be due: ask, and if so, solve before it is sent. */
  function guard(form) {
    var status = form.querySelector('[data-human-status]'), name = form.querySelector('[name=identifier]');
    var job = null, leaving = false;

    function action(button) {
      var said = button && button.getAttribute('name') === 'do' ? button.value : '';
      if (said === 'forgot') return 'reset';
      return said && said !== 'sign_in' ? '' : form.getAttribute('data-human');
    }
    function say(words) { if (status) status.textContent = words; }

    /* One job is one question and its answer; what it is about may change while it runs. */
    function prepare(act) {
      var who = act === 'sign_in' && name ? name.value : '', about = act + ' ' + who;
      if (job && job.about === about && !(job.until < Date.now())) return job;
      var mine = job = { about: about, answer: '', finished: false, then: null, until: Infinity };
      function finish() { mine.finished = true; if (mine.then) mine.then(); }
      var call = new XMLHttpRequest();
      call.open('POST', form.getAttribute('data-human-href'));
      call.timeout = 5000;
      call.setRequestHeader('Content-Type', 'application/json');
      var token = form.querySelector('[name=form_token]');
      if (token) call.setRequestHeader('Idp-Form-Token', token.value);
      call.onload = function () {
        var check = null;
        try { check = call.status === 200 && JSON.parse(call.responseText).check; } catch (e) { check = null; }
        if (!check || !check.puzzle || job !== mine) { mine.until = Date.now() + 20000; finish(); return; }
        mine.until = Date.now() + 8 * 60000;
        if (mine.then) say(status.getAttribute('data-busy'));
        solve(check.puzzle, function () {}, function (answer) { mine.answer = answer; finish(); });
      };
      call.onerror = call.ontimeout = function () { mine.until = 0; finish(); };
      call.send(JSON.stringify({ action: act, identifier: who }));
      return mine;
    }

    form.addEventListener('submit', function (event) {
      var button = event.submitter || document.activeElement, act = action(button);
      if (leaving || !act) return;
      var mine = prepare(act);
      function go() {
        leaving = true;
        if (mine.answer) hidden(form, 'human', mine.answer);
        if (button && button.form === form && form.requestSubmit) { form.requestSubmit(button); return; }
        if (button && button.form === form && button.name) hidden(form, button.name, button.value);
        form.submit();
      }
      if (mine.finished) {
        leaving = true;
        if (mine.answer) hidden(form, 'human', mine.answer);
        return;
      }
      event.preventDefault();
      say(status.getAttribute('data-busy'));
      mine.then = go;
    });

    /* While the person types. */
    if (form.getAttribute('data-human') === 'sign_up') form.addEventListener('input', function () { prepare('sign_up'); });
    if (name && form.getAttribute('data-human') === 'sign_in') name.addEventListener('change', function () { prepare('sign_in'); });
    window.addEventListener('pageshow', function (event) { /* back again: what was used is of no use */
      if (!event.persisted) return;
      job = null; leaving = false;
      hidden(form, 'human', '');
      say('');
    });
  }
  var forms = document.querySelectorAll('form[data-human]');
  for (var i = 0; i < forms.length; i++) guard(forms[i]);
})();
