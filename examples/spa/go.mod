module idp/examples/spa

go 1.26.0

require idp/sdk/go v0.0.0

replace idp/sdk/go => ../../sdk/go
