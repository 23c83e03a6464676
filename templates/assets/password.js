/* Ticks off the password rules while somebody types, and says how hard the password is to guess. The server decides by
   the same rules. Plain ES5, for old browsers. */
(function () {
  'use strict';
  function pattern(modern, old) { try { return new RegExp(modern, 'u'); } catch (e) { return old; } }
  var digit = pattern('\\p{Nd}', /\d/), special = pattern('[^\\p{L}\\p{Nd}]', /[^A-Za-z0-9]/);
  var upper = pattern('\\p{Lu}', /[A-Z]/), lower = pattern('\\p{Ll}', /[a-z]/);
  function length(v) { return Array.from ? Array.from(v).length : v.length; }
  var tests = {
    length: function (v, item) { return length(v) >= Number(item.getAttribute('data-least')); },
    'case': function (v) { return upper.test(v) && lower.test(v); },
    digit: function (v) { return digit.test(v); },
    special: function (v) { return special.test(v); }
  };

  function watch(list) {
    var input = document.querySelector('input[aria-describedby~="' + list.id + '"]'), timer = null, asked = '', quiet = 0;
    if (!input) return;
    var items = list.querySelectorAll('[data-rule]'), meter = document.getElementById(list.id + '-strength');
    var word = meter && meter.querySelector('[role=status]');
    var guess = list.querySelector('[data-rule=guess]');

    function typed() { return input.value.normalize ? input.value.normalize('NFC') : input.value; }
    function mark(item, met) { item.classList.toggle('idp-met', met); }
    function show(score) {
      if (!meter) return;
      if (score === null) { meter.removeAttribute('data-score'); word.textContent = ''; return; }
      meter.setAttribute('data-score', score);
      word.textContent = meter.getAttribute('data-word-' + score);
    }
    function ask() {
      var value = input.value, about = document.querySelector('input[name=email], input[name=username], input[name=identifier]');
      if (!value || Date.now() < quiet) return;
      asked = value;
      var call = new XMLHttpRequest(), token = input.form && input.form.querySelector('[name=form_token]');
      call.open('POST', meter.getAttribute('data-href'));
      call.timeout = 4000;
      call.setRequestHeader('Content-Type', 'application/json');
      if (token) call.setRequestHeader('Idp-Form-Token', token.value);
      call.onload = function () {
        if (input.value !== value) return; /* they went on */
        var said = null;
        try { said = call.status === 200 ? JSON.parse(call.responseText) : null; } catch (e) { said = null; }
        if (!said) {
          quiet = Date.now() + 1000 * (Number(call.getResponseHeader('Retry-After')) || 5);
          show(null);
          return;
        }
        show(said.score);
        if (guess) mark(guess, said.problem !== 'password_too_weak' && said.score >= Number(guess.getAttribute('data-least')));
      };
      call.send(JSON.stringify({ password: value, address: about && about.value || '' }));
    }
    input.addEventListener('input', function () {
      var value = typed(), long = true;
      for (var i = 0; i < items.length; i++) {
        var rule = items[i].getAttribute('data-rule');
        if (!tests[rule]) continue;
        var met = tests[rule](value, items[i]);
        mark(items[i], met);
        if (rule === 'length') long = met;
      }
      clearTimeout(timer);
      if (input.value === asked) return;
      asked = '';
      if (guess) mark(guess, false);
      show(null);
      if (meter && long) timer = setTimeout(ask, 500);
    });
  }
  var lists = document.querySelectorAll('.idp-rules');
  for (var i = 0; i < lists.length; i++) watch(lists[i]);
})();
