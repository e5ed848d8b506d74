"""What people say of patients beside the records: judgements, and the folder `NAME.becalm` that keeps them."""
