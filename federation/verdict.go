package federation

// judge says whether the e-mail address among the claims is to be believed.
func judge(c Connection, claims map[string]any) Verdict {
	if c.Trust.Email == TrustNever {
		return Verdict{}
	}
	if verified, is := claims["email_verified"].(bool); is && verified {
		return Verdict{Verified: true, Why: "email_verified"}
	}
	return Verdict{}
}
