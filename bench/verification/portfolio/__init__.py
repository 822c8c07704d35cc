"""The witness of the portfolio's accounting: small cases through the environment's own functions, beside the reference."""
