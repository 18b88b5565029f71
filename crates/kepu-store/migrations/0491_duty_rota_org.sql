CREATE INDEX duty_rota_org ON duty_rota (org, post);
