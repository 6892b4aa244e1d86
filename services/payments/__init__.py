"""Money that moves through the processor: charges, refunds, and what Stripe says of them."""
