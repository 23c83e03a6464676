// Package otelx stands in for the tracing helper that fosite imports.
package otelx

import "go.opentelemetry.io/otel/trace"

// End ends span, noting the error that err points to. A panic ends the span and goes on.
func End(span trace.Span, err *error) {
	if r := recover(); r != nil {
		span.End()
		panic(r)
	}
	if err != nil && *err != nil {
		span.RecordError(*err)
	}
	span.End()
}
