"""The pages behind a link: no account is needed, and a link opens one partner's account only."""
