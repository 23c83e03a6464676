module idp/sdk/go

go 1.26
