package outbound

// Public lets tests ask the table of special addresses.
var Public = public
