package login

// ResendAfter is how long another message has to wait.
const ResendAfter = resendAfter
