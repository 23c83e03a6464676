.PHONY: dev check test torture e2e bench prove
dev:     ; go run ./cmd/idp serve
check:   ; gofmt -l . && go vet ./... && golangci-lint run
test:    ; scripts/test
e2e:     ; scripts/test e2e
torture: ; scripts/torture
bench:   ; scripts/bench -into docs/performance.md
prove:   ; go run ./cmd/idp prove --all
