/* Comforts only: every page works without this file. Plain ES5, for old and test browsers. */
(function () {
  'use strict';
  function each(selector, act) {
    var found = document.querySelectorAll(selector);
    for (var i = 0; i < found.length; i++) act(found[i]);
  }
  function byId(id) { return document.getElementById(id); }

  /* The page that carries a response to a relying party sends itself. */
  each('form[data-submit]', function (form) { form.submit(); });

  /* Go on when the apps in the frames have heard, or have taken too long. */
  each('[data-farewell]', function (link) {
    var gone = false;
    function go() { if (!gone) { gone = true; window.location.replace(link.href); } }
    if (document.readyState === 'complete') go();
    else window.addEventListener('load', go);
    setTimeout(go, 8000);
  });

  /* Start at what went wrong. */
  each('#trouble', function (box) {
    var at = document.querySelector('[aria-invalid]');
    if (at && at.tagName === 'FIELDSET') at = at.querySelector(':checked') || at.querySelector('input');
    (at || box).focus();
  });

  each('[data-reveal]', function (button) {
    var input = byId(button.getAttribute('data-reveal'));
    button.hidden = false;
    button.addEventListener('click', function () {
      var hidden = input.type === 'password';
      input.type = hidden ? 'text' : 'password';
      button.setAttribute('aria-pressed', hidden ? 'true' : 'false');
      button.textContent = button.getAttribute(hidden ? 'data-hide' : 'data-show');
      input.focus();
    });
    if (input.form) input.form.addEventListener('submit', function () { input.type = 'password'; });
  });

  each('[data-copy]', function (button) {
    if (!navigator.clipboard) return;
    button.hidden = false;
    var words = button.textContent;
    button.addEventListener('click', function () {
      navigator.clipboard.writeText(byId(button.getAttribute('data-copy')).textContent.trim()).then(function () {
        button.textContent = button.getAttribute('data-done');
        setTimeout(function () { button.textContent = words; }, 1600);
      });
    });
  });

  each('[data-print]', function (button) {
    button.hidden = false;
    button.addEventListener('click', function () { window.print(); });
  });

  /* A complete code needs no button, not even if it was there before this file; but going back sends nothing again. */
  each('input[data-digits]', function (input) {
    var sent = false, way = window.performance && performance.getEntriesByType && performance.getEntriesByType('navigation')[0];
    function look() {
      var digits = input.value.replace(/\D/g, '');
      if (!sent && digits.length === Number(input.getAttribute('data-digits'))) {
        sent = true;
        input.value = digits;
        if (input.form.requestSubmit) input.form.requestSubmit(); else input.form.submit();
      }
    }
    input.addEventListener('input', look);
    if (way && way.type === 'navigate') look();
  });

  /* Count down until another message may be sent. */
  each('button[data-wait]', function (button) {
    var left = Number(button.getAttribute('data-wait')), words = button.textContent;
    if (!(left > 0)) return;
    button.disabled = true;
    (function tick() {
      if (left <= 0) { button.disabled = false; button.textContent = words; return; }
      button.textContent = words + ' (' + left + ')';
      left -= 1;
      setTimeout(tick, 1000);
    })();
  });
})();
