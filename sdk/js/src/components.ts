// The custom elements. Each is a shell that fetches what it is made of when the first of its kind is on a page, so
// that a page pays for what it shows.
import { define } from './components/define.js'

define('idp-sign-in', [], () => import('./components/sign-in.js'))
define('idp-sign-up', [], () => import('./components/sign-up.js'))
define('idp-user-button', ['show-name', 'shimmer', 'account-url', 'sign-in-url', 'after-sign-out'], () => import('./components/user-button.js'))
define('idp-user-profile', ['tab'], () => import('./components/user-profile.js'))
