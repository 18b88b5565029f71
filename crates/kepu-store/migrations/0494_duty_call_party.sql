CREATE INDEX duty_call_party ON duty_call (party, answer);
