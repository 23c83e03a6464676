/* Passkeys and security keys. Plain ES5, like idp.js. Words are in the form's attributes. */
(function () {
  'use strict';
  function byId(id) { return document.getElementById(id); }
  var known = window.PublicKeyCredential && navigator.credentials && window.fetch && window.Promise;

  /* Bytes travel as base64url; newer browsers turn options and answers themselves. */
  function bytes(text) {
    var raw = atob(text.replace(/-/g, '+').replace(/_/g, '/')), out = new Uint8Array(raw.length);
    for (var i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
    return out;
  }
  function text(buffer) {
    var raw = '', from = new Uint8Array(buffer);
    for (var i = 0; i < from.length; i++) raw += String.fromCharCode(from[i]);
    return btoa(raw).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  }
  function listed(all) {
    (all || []).forEach(function (one) { one.id = bytes(one.id); });
  }
  function readCreation(o) {
    if (window.PublicKeyCredential.parseCreationOptionsFromJSON) return window.PublicKeyCredential.parseCreationOptionsFromJSON(o);
    o.challenge = bytes(o.challenge);
    o.user.id = bytes(o.user.id);
    listed(o.excludeCredentials);
    return o;
  }
  function readRequest(o) {
    if (window.PublicKeyCredential.parseRequestOptionsFromJSON) return window.PublicKeyCredential.parseRequestOptionsFromJSON(o);
    o.challenge = bytes(o.challenge);
    listed(o.allowCredentials);
    return o;
  }
  function write(credential) {
    try { return JSON.stringify(credential.toJSON()); } catch (e) { /* older, or a password manager's own object */ }
    var said = credential.response, out = {};
    ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'].forEach(function (name) {
      if (said[name]) out[name] = text(said[name]);
    });
    if (said.getTransports) out.transports = said.getTransports();
    return JSON.stringify({
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response: out, clientExtensionResults: {},
      authenticatorAttachment: credential.authenticatorAttachment || undefined
    });
  }

  /* What went wrong in the browser, by the word that says it. */
  var reasons = {
    NotAllowedError: 'cancelled', TimeoutError: 'cancelled', AbortError: 'stopped', InvalidStateError: 'there', SecurityError: 'elsewhere',
    NotSupportedError: 'unsuited', ConstraintError: 'unverifiable'
  };
  function say(form, word, bad) { tell(form.getAttribute('data-say-' + word), bad); }
  function tell(words, bad) {
    var box = byId('key-status'), line = document.createElement('p');
    line.className = bad ? 'idp-alert idp-alert-error' : 'idp-subtle';
    line.textContent = words;
    box.textContent = '';
    box.appendChild(line);
  }
  function sorry(form, e) {
    if (e.gone) { window.location.assign(e.gone); return; }
    if (e.detail) { tell(e.detail, true); return; }
    say(form, e.offline ? 'offline' : reasons[e.name] || 'failed', true);
  }

  function call(form, path, body) {
    return fetch(form.getAttribute('data-href') + path, {
      method: 'POST', credentials: 'same-origin', body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', 'Idp-Form-Token': form.elements.form_token.value }
    }).then(function (answer) {
      return answer.json().then(function (said) {
        if (!answer.ok) throw { code: said.code, detail: said.detail };
        return said;
      });
    }, function () { throw { offline: true }; });
  }

  function pageOf(form, attempt) { return form.action.slice(0, form.action.lastIndexOf('/sign-in')) + '/sign-in/' + attempt; }

  /* As a form, so that it leads where any form leads. */
  function send(form, attempt, credential, rp) {
    try { sessionStorage.setItem('idp.key', JSON.stringify({ rpId: rp, credentialId: credential.id })); } catch (e) { /* only for the signal */ }
    say(form, 'sent');
    var carrier = form;
    if (form.getAttribute('data-key') === 'sign_in') {
      carrier = document.createElement('form');
      carrier.method = 'post';
      carrier.action = pageOf(form, attempt) + '/prove';
      carrier.hidden = true;
      [['form_token', form.elements.form_token.value], ['method', 'passkey'], ['ask', form.elements.ask.value], ['code', '']].forEach(function (pair) {
        var input = document.createElement('input');
        input.type = 'hidden';
        input.name = pair[0];
        input.value = pair[1];
        carrier.appendChild(input);
      });
      document.body.appendChild(carrier);
    }
    carrier.elements.code.value = write(credential);
    carrier.submit();
  }

  /* The pages "key" and "enroll_key": a button for one attempt. */
  function single(form) {
    var button = byId('key-start'), make = form.getAttribute('data-key') === 'create', busy = false;
    var attempt = form.getAttribute('data-attempt'), method = form.getAttribute('data-method');
    byId('key-no-script').hidden = true;
    if (!known) { say(form, 'none', true); return; }
    button.hidden = false;
    if (!document.querySelector('#trouble')) button.focus();
    form.addEventListener('submit', function (event) {
      event.preventDefault();
      if (busy) return;
      busy = true;
      button.disabled = true;
      say(form, 'wait');
      call(form, '/' + attempt + (make ? '/enroll' : '/prepare'), { method: method }).then(function (view) {
        var options = (make ? view.enrollment.options : view.options).publicKey, rp = options.rpId || options.rp.id;
        var asked = make ? navigator.credentials.create({ publicKey: readCreation(options) }) : navigator.credentials.get({ publicKey: readRequest(options) });
        return asked.then(function (credential) { send(form, attempt, credential, rp); });
      }).catch(function (e) {
        busy = button.disabled = false;
        if (e.code === 'not_now' || e.code === 'attempt_over' || e.code === 'attempt_unknown') e.gone = pageOf(form, attempt);
        sorry(form, e);
        button.focus();
      });
    });
  }

  /* The page "sign_in": a button, and what the browser suggests for the address. */
  var renewal = 4 * 60 * 1000; // a challenge lives five minutes
  function signIn(form) {
    var button = byId('login-passkey'), field = form.elements.attempt, publicBox = form.elements['public'];
    var begun = { attempt: field.value, isPublic: publicBox.checked }, waiting = null, timer = 0, turn = 0, leaving = false;
    if (!known) return;

    function attempt() {
      if (begun.attempt && begun.isPublic === publicBox.checked) return Promise.resolve(begun.attempt);
      var isPublic = publicBox.checked;
      var back = form.elements.return_to;
      return call(form, '', { goal: 'sign_in', ask: form.elements.ask.value, 'public': isPublic, return_to: back ? back.value : '' }).then(function (view) {
        begun = { attempt: view.id, isPublic: isPublic };
        field.value = view.id; // the form goes on with the same attempt
        return view.id;
      });
    }
    function ask(again) {
      return attempt().then(function (id) {
        return call(form, '/' + id + '/prepare', { method: 'passkey' }).then(function (view) {
          return { attempt: id, options: view.options.publicKey };
        }, function (e) {
          if (again || e.offline) throw e;
          begun.attempt = field.value = ''; // it was over: begin anew, once
          return ask(true);
        });
      });
    }
    function stop() {
      turn += 1;
      clearTimeout(timer);
      if (waiting) waiting.abort();
      waiting = null;
    }

    function suggest() {
      stop();
      var mine = turn;
      ask().then(function (asked) {
        if (mine !== turn) return;
        waiting = new AbortController();
        timer = setTimeout(renew, renewal);
        return navigator.credentials.get({ publicKey: readRequest(asked.options), mediation: 'conditional', signal: waiting.signal }).then(function (credential) {
          if (mine !== turn) return;
          stop();
          leaving = true;
          send(form, asked.attempt, credential, asked.options.rpId);
        });
      }).catch(function () { /* nothing was asked for, so there is nothing to say */ });
    }
    /* A page that nobody looks at asks for nothing. */
    function renew() {
      if (leaving) return;
      stop();
      if (document.visibilityState === 'visible') suggest();
      else document.addEventListener('visibilitychange', renew, { once: true });
    }

    button.addEventListener('click', function (event) {
      event.preventDefault();
      if (leaving) return;
      stop();
      leaving = button.disabled = true;
      say(form, 'wait');
      ask().then(function (asked) {
        return navigator.credentials.get({ publicKey: readRequest(asked.options) }).then(function (credential) {
          send(form, asked.attempt, credential, asked.options.rpId);
        });
      }).catch(function (e) {
        leaving = button.disabled = false;
        sorry(form, e);
        button.focus();
        begin();
      });
    });
    form.addEventListener('submit', function () { leaving = true; stop(); });
    publicBox.addEventListener('change', begin);

    function begin() {
      var can = window.PublicKeyCredential.isConditionalMediationAvailable;
      if (!can || !window.AbortController) return;
      can.call(window.PublicKeyCredential).then(function (yes) { if (yes && !leaving) suggest(); }, function () {});
    }
    begin();
  }

  /* Tells the person's devices which passkeys are none any more, where they listen. */
  function signal(name, what) {
    if (!known || !window.PublicKeyCredential[name]) return;
    window.PublicKeyCredential[name](what).catch(function () {});
  }
  function signals() {
    var used = null, trouble = byId('trouble'), all = byId('passkeys');
    try {
      used = JSON.parse(sessionStorage.getItem('idp.key'));
      sessionStorage.removeItem('idp.key');
    } catch (e) { /* none was used */ }
    if (used && trouble && trouble.getAttribute('data-error') === 'key_unknown') signal('signalUnknownCredential', used);
    if (!all) return;
    var rp = all.getAttribute('data-rp'), user = all.getAttribute('data-user'), ids = all.getAttribute('data-ids');
    signal('signalAllAcceptedCredentials', { rpId: rp, userId: user, allAcceptedCredentialIds: ids ? ids.split(' ') : [] });
    signal('signalCurrentUserDetails', { rpId: rp, userId: user, name: all.getAttribute('data-name'), displayName: all.getAttribute('data-call') });
  }

  signals();
  var form = document.querySelector('form[data-key]');
  if (form && form.getAttribute('data-key') === 'sign_in') signIn(form);
  else if (form) single(form);
})();
