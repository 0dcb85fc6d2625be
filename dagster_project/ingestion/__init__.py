"""Where data comes in and is judged: landing folder → received bytes → judged rows → raw store, noted in the ledger."""
